"""OAuth clients, their keys and secrets, and the assertions they have used

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('oauth_client',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('scopes', sa.Text(), nullable=False),
    sa.Column('method', sa.String(length=16), nullable=False),
    sa.Column('networks', sa.Text(), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('disabled_by', sa.Text(), nullable=False),
    sa.Column('disabled_at', MOMENT, nullable=True),
    sa.Column('minute', MOMENT, nullable=True),
    sa.Column('given_in_minute', sa.Integer(), nullable=False),
    sa.Column('refusal_noted_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_oauth_client_agency_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oauth_client'))
    )
    with op.batch_alter_table('oauth_client', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_oauth_client_agency_code'), ['agency_code'], unique=False)

    op.create_table('client_key',
    sa.Column('client_id', sa.String(length=26), nullable=False),
    sa.Column('kid', sa.String(length=64), nullable=False),
    sa.Column('spki_der', sa.LargeBinary(), nullable=False),
    sa.Column('not_before_at', MOMENT, nullable=False),
    sa.Column('not_after_at', MOMENT, nullable=False),
    sa.Column('withdrawn_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['oauth_client.id'], name=op.f('fk_client_key_client_id')),
    sa.PrimaryKeyConstraint('client_id', 'kid', name=op.f('pk_client_key'))
    )

    op.create_table('client_secret',
    sa.Column('client_id', sa.String(length=26), nullable=False),
    sa.Column('id', sa.String(length=8), nullable=False),
    sa.Column('hashed', sa.Text(), nullable=False),
    sa.Column('not_before_at', MOMENT, nullable=False),
    sa.Column('not_after_at', MOMENT, nullable=False),
    sa.Column('withdrawn_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['oauth_client.id'], name=op.f('fk_client_secret_client_id')),
    sa.PrimaryKeyConstraint('client_id', 'id', name=op.f('pk_client_secret'))
    )

    op.create_table('used_assertion',
    sa.Column('client_id', sa.String(length=26), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['oauth_client.id'], name=op.f('fk_used_assertion_client_id')),
    sa.PrimaryKeyConstraint('client_id', 'digest', name=op.f('pk_used_assertion'))
    )
    with op.batch_alter_table('used_assertion', schema=None) as batch_op:
        batch_op.create_index('ix_used_assertion_end', ['client_id', 'expires_at'], unique=False)
