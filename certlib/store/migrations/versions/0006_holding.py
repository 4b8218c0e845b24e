"""what holders have: sessions, one-time codes, delegations

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('holder_session',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('code_index', sa.LargeBinary(), nullable=False),
    sa.Column('code_type', sa.String(length=3), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('client_id', sa.String(length=64), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holder_session'))
    )
    with op.batch_alter_table('holder_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_holder_session_code_index'), ['code_index'], unique=False)

    op.create_table('one_time_code',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('holder_index', sa.LargeBinary(), nullable=False),
    sa.Column('session_id', sa.String(length=26), nullable=False),
    sa.Column('delegation_id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_by', sa.String(length=21), nullable=False),
    sa.Column('reference', sa.String(length=26), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['holder_session.id'], name=op.f('fk_one_time_code_session_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_one_time_code')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_one_time_code_code_hash'))
    )
    with op.batch_alter_table('one_time_code', schema=None) as batch_op:
        batch_op.create_index('ix_one_time_code_holder', ['holder_index', 'created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_one_time_code_reference'), ['reference'], unique=False)

    op.create_table('code_failure',
    sa.Column('source', sa.LargeBinary(), nullable=False),
    sa.Column('hour', sa.DateTime(timezone=True), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('source', 'hour', name=op.f('pk_code_failure'))
    )

    op.create_table('delegation',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('principal_index', sa.LargeBinary(), nullable=False),
    sa.Column('delegate_index', sa.LargeBinary(), nullable=False),
    sa.Column('acts', sa.Text(), nullable=False),
    sa.Column('types', sa.Text(), nullable=False),
    sa.Column('licences', sa.Text(), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Text(), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delegation'))
    )
    with op.batch_alter_table('delegation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delegation_delegate_index'), ['delegate_index'], unique=False)
        batch_op.create_index(batch_op.f('ix_delegation_principal_index'), ['principal_index'], unique=False)
