"""uses, the licences found, one-time links, and copies made

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
NAMED = sa.text("request_id <> ''")


def upgrade() -> None:
    op.create_table('sharing_use',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('client_id', sa.String(length=64), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('matter_code', sa.String(length=64), nullable=False),
    sa.Column('case_number', sa.String(length=64), nullable=False),
    sa.Column('parts', sa.Text(), nullable=False),
    sa.Column('interfaces', sa.String(length=32), nullable=False),
    sa.Column('basis', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('request_id', sa.String(length=128), nullable=False),
    sa.Column('request_digest', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('holder_index', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_sharing_use_agency_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sharing_use'))
    )
    with op.batch_alter_table('sharing_use', schema=None) as batch_op:
        batch_op.create_index('ix_sharing_use_agency', ['agency_code', 'expires_at'], unique=False)
        batch_op.create_index('ix_sharing_use_holder', ['holder_index', 'made_at'], unique=False)
        batch_op.create_index('uq_sharing_use_request_id', ['agency_code', 'request_id'], unique=True, sqlite_where=NAMED, postgresql_where=NAMED)

    op.create_table('use_licence',
    sa.Column('use_id', sa.String(length=26), nullable=False),
    sa.Column('licence_id', BIG, autoincrement=False, nullable=False),
    sa.Column('word', sa.String(length=20), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_use_licence_licence_id')),
    sa.ForeignKeyConstraint(['use_id'], ['sharing_use.id'], name=op.f('fk_use_licence_use_id')),
    sa.PrimaryKeyConstraint('use_id', 'licence_id', name=op.f('pk_use_licence'))
    )

    op.create_table('use_link',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('use_id', sa.String(length=26), nullable=False),
    sa.Column('licence_id', BIG, nullable=False),
    sa.Column('client_id', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_use_link_licence_id')),
    sa.ForeignKeyConstraint(['use_id'], ['sharing_use.id'], name=op.f('fk_use_link_use_id')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_use_link'))
    )
    with op.batch_alter_table('use_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_use_link_use_id'), ['use_id'], unique=False)

    op.create_table('made_copy',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('use_id', sa.String(length=26), nullable=False),
    sa.Column('licence_id', BIG, nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_made_copy_licence_id')),
    sa.ForeignKeyConstraint(['use_id'], ['sharing_use.id'], name=op.f('fk_made_copy_use_id')),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_made_copy'))
    )
    with op.batch_alter_table('made_copy', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_made_copy_use_id'), ['use_id'], unique=False)
