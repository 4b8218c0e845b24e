"""changes of licences, and bulk acts

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
OPEN = sa.text("state IN ('pending', 'approved')")
IN_ACT = sa.text("act_id <> ''")


def upgrade() -> None:
    op.create_table('licence_change',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('licence_id', BIG, nullable=False),
    sa.Column('operation', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('old', sa.String(length=10), nullable=False),
    sa.Column('new', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('document_number', sa.Text(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checker', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('successor', sa.String(length=128), nullable=False),
    sa.Column('changed', sa.Text(), nullable=False),
    sa.Column('act_id', sa.String(length=26), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('order_digest', sa.LargeBinary(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_licence_change_agency_code')),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_licence_change_licence_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_licence_change'))
    )
    with op.batch_alter_table('licence_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_licence_change_licence_id'), ['licence_id'], unique=False)
        batch_op.create_index('ix_licence_change_open', ['agency_code', 'made_at'], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
        batch_op.create_index('ix_licence_change_act', ['act_id', 'state', 'licence_id'], unique=False, sqlite_where=IN_ACT, postgresql_where=IN_ACT)

    op.create_table('bulk_act',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('operation', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('document_number', sa.Text(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('selection', sa.Text(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('two_persons', sa.Boolean(), nullable=False),
    sa.Column('maker', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checker', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_bulk_act_agency_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_act'))
    )
    with op.batch_alter_table('bulk_act', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bulk_act_agency_code'), ['agency_code'], unique=False)


def downgrade() -> None:
    """Refuse: what these tables hold cannot be made again."""
    raise NotImplementedError("restore a backup instead")
