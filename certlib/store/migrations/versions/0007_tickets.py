"""objections, corrections, ratings, reports, and the daily figures

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
WATCHED = sa.text('escalated_at IS NULL AND closed_at IS NULL AND due_at IS NOT NULL')


def upgrade() -> None:
    op.create_table('ticket',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('code', sa.String(length=26), nullable=False),
    sa.Column('kind', sa.String(length=9), nullable=False),
    sa.Column('state', sa.String(length=11), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('raiser_agency', sa.String(length=21), nullable=False),
    sa.Column('raiser', sa.Text(), nullable=False),
    sa.Column('holder_index', sa.LargeBinary(), nullable=True),
    sa.Column('licence_id', BIG, nullable=True),
    sa.Column('look_id', BIG, nullable=True),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('fields', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(length=13), nullable=False),
    sa.Column('change_id', sa.String(length=26), nullable=False),
    sa.Column('successor', sa.String(length=128), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['agency_code'], ['agency.code'], name=op.f('fk_ticket_agency_code')),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_ticket_licence_id')),
    sa.ForeignKeyConstraint(['look_id'], ['look.id'], name=op.f('fk_ticket_look_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('code', name=op.f('uq_ticket_code'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_agency', ['agency_code', 'id'], unique=False)
        batch_op.create_index('ix_ticket_raiser', ['raiser_agency', 'id'], unique=False)
        batch_op.create_index('ix_ticket_holder', ['holder_index', 'id'], unique=False)
        batch_op.create_index('ix_ticket_licence', ['licence_id', 'id'], unique=False)
        batch_op.create_index('ix_ticket_watched', ['due_at'], unique=False, sqlite_where=WATCHED, postgresql_where=WATCHED)

    op.create_table('ticket_claim',
    sa.Column('claim', sa.LargeBinary(), nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_claim_ticket_id')),
    sa.PrimaryKeyConstraint('claim', name=op.f('pk_ticket_claim'))
    )
    with op.batch_alter_table('ticket_claim', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_claim_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('ticket_step',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('ticket_id', BIG, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('action', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=11), nullable=False),
    sa.Column('by', sa.String(length=21), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_step_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_step'))
    )
    with op.batch_alter_table('ticket_step', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_step_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('rating',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('subject', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sa.String(length=8), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('reference', sa.String(length=26), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rating')),
    sa.UniqueConstraint('subject', name=op.f('uq_rating_subject'))
    )
    with op.batch_alter_table('rating', schema=None) as batch_op:
        batch_op.create_index('ix_rating_score', ['score', 'id'], unique=False)

    op.create_table('paper_report',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sa.String(length=8), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('matter_code', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.String(length=24), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_report'))
    )
    with op.batch_alter_table('paper_report', schema=None) as batch_op:
        batch_op.create_index('ix_paper_report_agency', ['agency_code', 'id'], unique=False)

    op.create_table('figure_day',
    sa.Column('figure', sa.String(length=16), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('agency_code', sa.String(length=21), nullable=False),
    sa.Column('type_code', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('figure', 'day', 'agency_code', 'type_code', 'key', name=op.f('pk_figure_day'))
    )
    cursor = op.create_table('figure_cursor',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_figure_cursor'))
    )
    op.bulk_insert(cursor, [{'id': 1, 'seq': 0, 'at': None, 'closed_on': None}])
