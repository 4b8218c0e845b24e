"""catalogues collected from other libraries, and their trust packs

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('foreign_pack',
    sa.Column('anchor_sha256', sa.String(length=64), nullable=False),
    sa.Column('anchor_spki', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=True),
    sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('imported_by', sa.Text(), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('anchor_sha256', name=op.f('pk_foreign_pack'))
    )
    op.create_table('foreign_name',
    sa.Column('kind', sa.String(length=6), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('anchor_sha256', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['anchor_sha256'], ['foreign_pack.anchor_sha256'], name=op.f('fk_foreign_name_anchor_sha256')),
    sa.PrimaryKeyConstraint('kind', 'name', name=op.f('pk_foreign_name'))
    )
    with op.batch_alter_table('foreign_name', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_foreign_name_anchor_sha256'), ['anchor_sha256'], unique=False)

    op.create_table('collected_source',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('url', sa.String(length=2048), nullable=False),
    sa.Column('anchor_sha256', sa.String(length=64), nullable=False),
    sa.Column('client_id', sa.String(length=64), nullable=False),
    sa.Column('key_uri', sa.Text(), nullable=False),
    sa.Column('matter_code', sa.String(length=64), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=False),
    sa.Column('types', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('collected_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['anchor_sha256'], ['foreign_pack.anchor_sha256'], name=op.f('fk_collected_source_anchor_sha256')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collected_source')),
    sa.UniqueConstraint('url', name=op.f('uq_collected_source_url'))
    )
    op.create_table('collected_licence',
    sa.Column('source_id', sa.String(length=26), nullable=False),
    sa.Column('identifier', sa.String(length=128), nullable=False),
    sa.Column('type_segment', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('type_name', sa.Text(), nullable=False),
    sa.Column('type_name_en', sa.Text(), nullable=False),
    sa.Column('number', sa.String(length=128), nullable=False),
    sa.Column('number_masked', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('agency_name', sa.Text(), nullable=False),
    sa.Column('area_code', sa.String(length=12), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('previous_identifier', sa.String(length=128), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['collected_source.id'], name=op.f('fk_collected_licence_source_id')),
    sa.PrimaryKeyConstraint('source_id', 'identifier', name=op.f('pk_collected_licence'))
    )
    with op.batch_alter_table('collected_licence', schema=None) as batch_op:
        batch_op.create_index('ix_collected_licence_identifier', ['identifier'], unique=False)
        batch_op.create_index('ix_collected_licence_number', ['type_segment', 'number'], unique=False)
