"""A large account, made fast: its rows by SQL, as the owner of the tables. Nothing in it opens: what is sealed is noise.

For plans and for weight. Benches and tests put real mail beside it.
"""

from dataclasses import dataclass

import psycopg

# Numbers that every statement shares. Each mail is `n`; a third of all lies in the first mailbox, the rest is spread.
_MAILS = "generate_series(1, %(mails)s) AS n"
_MAILBOX = "%(base)s + CASE WHEN n %% 3 = 0 THEN 0 ELSE n %% %(mailboxes)s END"
_AT = "timestamptz '2026-11-01 08:00Z' - n * interval '1 minute'"
# How many rows of a kind a mail may need: ids of the kinds lie that far apart.
_ROOM = 10


@dataclass(frozen=True)
class Large:
    """The first id of each kind; the first mailbox is the largest, with a third of all mails."""

    workspace_id: int
    mailbox_id: int
    contact_id: int
    company_id: int
    conversation_id: int
    message_id: int
    copy_id: int


def fill(owner_url: str, workspace_id: int, member_id: int, *, mails: int, mailboxes: int = 200) -> Large:
    """Put `mails` mails into the account, in `mailboxes` mailboxes of the member, with contacts, companies and all that hangs
    on them: half a minute for 200,000."""
    with psycopg.connect(owner_url) as connection:
        found = connection.execute("SELECT nextval('flow_id')").fetchone()
        assert found is not None
        base = int(found[0])
        # Ids ascend in the order of commits: what is stored later must get larger ones.
        connection.execute("SELECT setval('flow_id', %s)", [base + _ROOM * mails + mailboxes])
        values = {"ws": workspace_id, "member": member_id, "base": base, "mails": mails, "mailboxes": mailboxes, "kind": mails}
        for statement in _STATEMENTS:
            connection.execute(statement, values)
    return Large(
        workspace_id=workspace_id,
        mailbox_id=base,
        contact_id=base + mailboxes + 6 * mails + 1,
        company_id=base + mailboxes + 7 * mails + 1,
        conversation_id=base + mailboxes + 1,
        message_id=base + mailboxes + 2 * mails + 1,
        copy_id=base + mailboxes + 4 * mails + 1,
    )


def _id(kind: int, number: str = "n") -> str:
    """The id of the n-th row of a kind: conversation, message, variant, copy, …"""
    return f"(%(base)s + %(mailboxes)s + {kind} * %(kind)s + {number})"


_CONVERSATION, _MESSAGE, _VARIANT, _COPY = _id(0, "(n + 2) / 3"), _id(2), _id(3), _id(4)
PEOPLE = 5000


def _person(number: str) -> str:
    return f"decode(md5('person ' || ({number}) %% {PEOPLE}), 'hex')"


_STATEMENTS = (
    """INSERT INTO mailbox (workspace_id, id, member_id, kind, gen, h_account, s_account, state, state_since, created_at)
       SELECT %(ws)s, %(base)s + n, %(member)s, 'gmail', 1, decode(md5('mailbox ' || n), 'hex'), '\\x00', 'on', now(), now()
       FROM generate_series(0, %(mailboxes)s - 1) AS n""",
    """INSERT INTO folder (workspace_id, id, mailbox_id, provider_id, s_name, role)
       SELECT %(ws)s, nextval('flow_id'), %(base)s + n, 'Label_' || f, '\\x00', 'label'
       FROM generate_series(0, %(mailboxes)s - 1) AS n, generate_series(1, 10) AS f""",
    """INSERT INTO mailbox_due (workspace_id, mailbox_id, next_run_at, lane)
       SELECT %(ws)s, %(base)s + n, now() + interval '1 hour', 1 FROM generate_series(0, %(mailboxes)s - 1) AS n""",
    """INSERT INTO lease (workspace_id, mailbox_id, kind, owner, epoch, until)
       SELECT %(ws)s, %(base)s + n, 'sync', 'host:' || n || ':0', 1, now() - interval '1 hour'
       FROM generate_series(0, %(mailboxes)s - 1) AS n""",
    f"""INSERT INTO company (workspace_id, id, name, sort_key, created_at)
        SELECT %(ws)s, {_id(7)}, 'Company ' || n, 'company ' || lpad(n::text, 9, '0'), now()
        FROM generate_series(1, {PEOPLE // 10}) AS n""",
    f"""INSERT INTO company_domain (workspace_id, id, company_id, domain)
        SELECT %(ws)s, nextval('flow_id'), {_id(7)}, 'company' || n || '.example'
        FROM generate_series(1, {PEOPLE // 10}) AS n""",
    f"""INSERT INTO contact (workspace_id, id, name, sort_key, company_id, created_at, updated_at)
        SELECT %(ws)s, {_id(6)}, 'Person ' || n, 'person ' || lpad(n::text, 9, '0'), {_id(7, "(1 + n / 10)")}, now(), now()
        FROM generate_series(1, {PEOPLE - 10}) AS n""",
    f"""INSERT INTO contact_address (workspace_id, id, contact_id, address, position, gen, h_address)
        SELECT %(ws)s, nextval('flow_id'), {_id(6)}, 'person' || n || '@many.example', 0, 1, {_person("n")}
        FROM generate_series(1, {PEOPLE - 10}) AS n""",
    f"INSERT INTO conversation (workspace_id, id) SELECT %(ws)s, {_id(0)} FROM generate_series(1, (%(mails)s + 2) / 3) AS n",
    f"""INSERT INTO mid (workspace_id, gen, h_mid, conversation_id)
        SELECT %(ws)s, 1, decode(md5('mid ' || n || ' ' || k), 'hex'), {_CONVERSATION}
        FROM {_MAILS}, generate_series(1, 2) AS k""",
    f"""INSERT INTO message (workspace_id, id, conversation_id, at, ours, flags)
        SELECT %(ws)s, {_MESSAGE}, {_CONVERSATION}, {_AT}, n %% 4 = 0, CASE WHEN n %% 10 = 0 THEN 4096 ELSE 0 END
        FROM {_MAILS}""",
    f"""INSERT INTO message_key (workspace_id, gen, h_key, message_id)
        SELECT %(ws)s, 1, decode(md5('key ' || n || ' ' || k), 'hex'), {_MESSAGE} FROM {_MAILS}, generate_series(1, 2) AS k""",
    f"""INSERT INTO variant (workspace_id, id, message_id, gen, h_candidate, h_content, h_core, h_files, s_body)
        SELECT %(ws)s, {_VARIANT}, {_MESSAGE}, 1, decode(md5('key ' || n || ' 1'), 'hex'), decode(md5('content ' || n), 'hex'),
               decode(md5('core ' || n), 'hex'), decode(md5('files ' || n), 'hex'), convert_to(repeat(md5(n::text), 40), 'UTF8')
        FROM {_MAILS}""",
    f"""INSERT INTO attachment (workspace_id, id, variant_id, part, size, inline, over_limit, s_meta)
        SELECT %(ws)s, nextval('flow_id'), {_VARIANT}, '2', 1000, false, false, '\\x00' FROM {_MAILS} WHERE n %% 10 = 0""",
    f"""INSERT INTO blob (workspace_id, gen, h_content, id, size, ref)
        SELECT %(ws)s, 1, decode(md5('body ' || n), 'hex'), nextval('flow_id'), 30000, 'w/' || md5('body ' || n)
        FROM {_MAILS}""",
    f"""INSERT INTO copy (workspace_id, id, message_id, variant_id, mailbox_id, provider_id, thread_id, at, s_head, s_headers,
                          gen, h_body, body_whole, sent, unread)
        SELECT %(ws)s, {_COPY}, {_MESSAGE}, {_VARIANT}, {_MAILBOX}, md5('mail ' || n), md5('thread ' || n / 3), {_AT},
               convert_to(repeat(md5(n::text), 12), 'UTF8'), convert_to(repeat(md5(n::text), 40), 'UTF8'),
               1, decode(md5('body ' || n), 'hex'), true, n %% 4 = 0, n %% 5 = 0 FROM {_MAILS}""",
    f"""INSERT INTO copy_folder (workspace_id, copy_id, provider_id)
        SELECT %(ws)s, {_COPY}, f FROM {_MAILS}, unnest(ARRAY['INBOX', 'Label_1']) AS f""",
    f"""INSERT INTO participant (workspace_id, copy_id, gen, h_address, h_domain, role, mailbox_id, at, unread, files)
        SELECT %(ws)s, {_COPY}, 1, {_person("n * (2 * k + 1)")}, decode(md5('domain ' || n %% 500), 'hex'),
               (ARRAY['from', 'to', 'to', 'cc'])[k], {_MAILBOX}, {_AT}, n %% 5 = 0, n %% 10 = 0
        FROM {_MAILS}, generate_series(1, 4) AS k ON CONFLICT DO NOTHING""",
    # Words as in language: some stand in every third mail, some in one.
    f"""INSERT INTO search_row (workspace_id, message_id, scheme, at, tok)
        SELECT %(ws)s, {_MESSAGE}, 1, {_AT}, ARRAY(SELECT hashint8extended(n %% often, %(ws)s)
                                                   FROM unnest(ARRAY[3, 17, 101, 1009, 5003, 20011, 1000003]) AS often)
        FROM {_MAILS}""",
    """INSERT INTO work (workspace_id, id, mailbox_id, provider_id, lane, sort, due_at)
       SELECT %(ws)s, nextval('flow_id'), %(base)s, 'waiting ' || n, n %% 4, n, now() FROM generate_series(1, 5000) AS n""",
    """INSERT INTO audit (workspace_id, id, at, actor_id, verb, surface, object_ids)
       SELECT %(ws)s, nextval('flow_id'), now() - n * interval '1 minute', %(member)s, 'list', 'emails', ARRAY[n]
       FROM generate_series(1, 5000) AS n""",
    "UPDATE usage_total SET stored = %(mails)s WHERE workspace_id = %(ws)s",
)
