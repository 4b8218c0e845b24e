"""grants, their daily counts, and the ledger of looks

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
REFERRED = sa.text("reference <> ''")


def upgrade() -> None:
    op.create_table('sharing_grant',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('fields', sa.Text(), nullable=False),
    sa.Column('interfaces', sa.Text(), nullable=False),
    sa.Column('matters', sa.Text(), nullable=False),
    sa.Column('basis', sa.String(length=10), nullable=False),
    sa.Column('clause', sa.Text(), nullable=False),
    sa.Column('daily_cap', sa.BigInteger(), nullable=False),
    sa.Column('networks', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('granted_by', sa.Text(), nullable=False),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Text(), nullable=False),
    sa.Column('end_reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_sharing_grant_agency_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sharing_grant'))
    )
    with op.batch_alter_table('sharing_grant', schema=None) as batch_op:
        batch_op.create_index('ix_sharing_grant_agency_type', ['agency_code', 'type_code'], unique=False)

    op.create_table('grant_day',
    sa.Column('grant_id', sa.String(length=26), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('used', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['grant_id'], ['sharing_grant.id'], name=op.f('fk_grant_day_grant_id')),
    sa.PrimaryKeyConstraint('grant_id', 'day', name=op.f('pk_grant_day'))
    )

    op.create_table('look',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('client_id', sa.String(length=64), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('matter_code', sa.String(length=64), nullable=False),
    sa.Column('case_number', sa.String(length=64), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('fields', sa.Text(), nullable=False),
    sa.Column('basis', sa.String(length=10), nullable=False),
    sa.Column('grant_id', sa.String(length=26), nullable=False),
    sa.Column('outcome', sa.String(length=32), nullable=False),
    sa.Column('reference', sa.String(length=26), nullable=False),
    sa.Column('licence_id', BIG, nullable=True),
    sa.Column('holder_index', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_look_licence_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_look'))
    )
    with op.batch_alter_table('look', schema=None) as batch_op:
        batch_op.create_index('ix_look_holder', ['holder_index', 'id'], unique=False)
        batch_op.create_index('ix_look_licence', ['licence_id', 'id'], unique=False)
        batch_op.create_index('ix_look_agency', ['agency_code', 'at'], unique=False)
        batch_op.create_index('ix_look_holder_agency', ['holder_index', 'agency_code', 'at'], unique=False)
        batch_op.create_index('ix_look_licence_agency', ['licence_id', 'agency_code', 'at'], unique=False)
        batch_op.create_index('ix_look_reference', ['reference'], unique=False, sqlite_where=REFERRED, postgresql_where=REFERRED)
