"""the first tables

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agency',
    sa.Column('code', sa.String(length=21), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_en', sa.Text(), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('area_code', sa.String(length=12), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_agency'))
    )
    op.create_table('allotment',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('next_licence_id', sa.BigInteger(), nullable=False),
    sa.Column('shard', sa.Integer(), nullable=False),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_allotment'))
    )
    op.create_table('audit',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('act', sa.String(length=40), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('previous_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_subject'), ['subject'], unique=False)

    op.create_table('audit_head',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    op.create_table('bundle',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bundle')),
    sa.UniqueConstraint('name', name=op.f('uq_bundle_name'))
    )
    op.create_table('library',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_library'))
    )
    op.create_table('licence_type',
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('type_toml', sa.Text(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('code', 'version', name=op.f('pk_licence_type'))
    )
    op.create_table('trust_pack',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_trust_pack'))
    )
    op.create_table('batch',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('file_sha256', sa.String(length=64), nullable=False),
    sa.Column('map_sha256', sa.String(length=64), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('read', sa.Integer(), nullable=False),
    sa.Column('issued', sa.Integer(), nullable=False),
    sa.Column('already', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_batch_agency_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch'))
    )
    op.create_table('licence',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('identifier', sa.String(length=128), nullable=False),
    sa.Column('public_code', sa.String(length=26), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=True),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('public_json', sa.LargeBinary(), nullable=True),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('number', sa.String(length=128), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('identifier_scheme', sa.String(length=16), nullable=False),
    sa.Column('identifier_root', sa.String(length=64), nullable=False),
    sa.Column('type_segment', sa.String(length=21), nullable=False),
    sa.Column('agency_segment', sa.String(length=21), nullable=False),
    sa.Column('serial', sa.String(length=32), nullable=False),
    sa.Column('status_shard', sa.Integer(), nullable=False),
    sa.Column('status_index', sa.Integer(), nullable=False),
    sa.Column('status_list_uri', sa.Text(), nullable=False),
    sa.Column('type_version', sa.Integer(), nullable=False),
    sa.Column('type_digest', sa.String(length=64), nullable=False),
    sa.Column('area_code', sa.String(length=12), nullable=False),
    sa.Column('request_id', sa.Text(), nullable=False),
    sa.Column('batch', sa.Text(), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('previous_identifier', sa.String(length=128), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('agency_name', sa.Text(), nullable=False),
    sa.Column('pdf_sha256', sa.String(length=64), nullable=True),
    sa.Column('pdf_bundle', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('pdf_offset', sa.BigInteger(), nullable=True),
    sa.Column('pdf_length', sa.Integer(), nullable=True),
    sa.Column('pdf_key_id', sa.String(length=16), nullable=True),
    sa.Column('pdf_name', sa.Text(), nullable=False),
    sa.Column('token_kid', sa.String(length=16), nullable=False),
    sa.Column('seal_kid', sa.String(length=16), nullable=False),
    sa.Column('check_phrase', sa.String(length=32), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('content_digest', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_token', sa.LargeBinary(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_licence_agency_code')),
    sa.ForeignKeyConstraint(['pdf_bundle'], ['bundle.id'], name=op.f('fk_licence_pdf_bundle')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_licence')),
    sa.UniqueConstraint('identifier', name=op.f('uq_licence_identifier')),
    sa.UniqueConstraint('public_code', name=op.f('uq_licence_public_code')),
    sa.UniqueConstraint('status_shard', 'status_index', name=op.f('uq_licence_status_shard_status_index'))
    )
    with op.batch_alter_table('licence', schema=None) as batch_op:
        batch_op.create_index('ix_licence_not_active', ['status', 'status_shard', 'status_index'], unique=False, sqlite_where=sa.text("status <> 'active'"), postgresql_where=sa.text("status <> 'active'"))
        batch_op.create_index('ix_licence_pdf_sha256', ['pdf_sha256'], unique=False)
        batch_op.create_index('ix_licence_prepared', ['issued_at'], unique=False, sqlite_where=sa.text("state = 'prepared'"), postgresql_where=sa.text("state = 'prepared'"))
        batch_op.create_index('ix_licence_previous', ['previous_identifier'], unique=False, sqlite_where=sa.text("previous_identifier <> ''"), postgresql_where=sa.text("previous_identifier <> ''"))
        batch_op.create_index('uq_licence_natural_key', ['agency_code', 'type_code', 'number', 'version'], unique=True, sqlite_where=sa.text("state <> 'void'"), postgresql_where=sa.text("state <> 'void'"))
        batch_op.create_index('uq_licence_request_id', ['agency_code', 'request_id'], unique=True, sqlite_where=sa.text("request_id <> '' AND state <> 'void'"), postgresql_where=sa.text("request_id <> '' AND state <> 'void'"))

    op.create_table('signing_key',
    sa.Column('kid', sa.String(length=16), nullable=False),
    sa.Column('purpose', sa.String(length=16), nullable=False),
    sa.Column('algorithm', sa.String(length=16), nullable=False),
    sa.Column('owner', sa.String(length=21), nullable=True),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('spki_der', sa.LargeBinary(), nullable=False),
    sa.Column('certificate_der', sa.LargeBinary(), nullable=True),
    sa.Column('delegation', sa.Text(), nullable=False),
    sa.Column('not_before_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('not_after_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['owner'], ['agency.code'], name=op.f('fk_signing_key_owner')),
    sa.PrimaryKeyConstraint('kid', name=op.f('pk_signing_key'))
    )
    with op.batch_alter_table('signing_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_signing_key_owner'), ['owner'], unique=False)

    op.create_table('licence_holder',
    sa.Column('licence_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('code_index', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_licence_holder_licence_id')),
    sa.PrimaryKeyConstraint('licence_id', 'position', name=op.f('pk_licence_holder'))
    )
    with op.batch_alter_table('licence_holder', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_licence_holder_code_index'), ['code_index'], unique=False)

    op.create_table('licence_image',
    sa.Column('licence_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('field', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('bundle', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('offset_bytes', sa.BigInteger(), nullable=False),
    sa.Column('length', sa.Integer(), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['bundle'], ['bundle.id'], name=op.f('fk_licence_image_bundle')),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_licence_image_licence_id')),
    sa.PrimaryKeyConstraint('licence_id', 'field', name=op.f('pk_licence_image'))
    )
    op.create_table('status_change',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('licence_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('old', sa.String(length=10), nullable=False),
    sa.Column('new', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('document_number', sa.Text(), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_status_change_licence_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_status_change'))
    )
    with op.batch_alter_table('status_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_status_change_licence_id'), ['licence_id'], unique=False)

    # The two single rows that writers lock, and where numbering begins.
    op.execute("INSERT INTO allotment (id, next_licence_id, shard, taken) VALUES (1, 1, 0, 0)")
    op.execute(f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{'0' * 64}')")


def downgrade() -> None:
    """Refuse: what these tables hold cannot be made again."""
    raise NotImplementedError("restore a backup instead")
