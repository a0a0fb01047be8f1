"""The five roles (DESIGN 6) and what they may do by default, on the embedded server or printed for one of yours.

owner   makes tables, runs migrations; never held by web or worker
app     web and worker: owns nothing, bypasses nothing
router  finds out which workspace a request or job belongs to: reads routing tables, which hold ids only
search  nobody logs in as it; it owns the search function, and its own policy lets that read the index
audit   nobody logs in as it; it owns the function that closes audit batches, and may do nothing else
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from flowcrm.ops.home import APP_ROLE, AUDIT_ROLE, OWNER_ROLE, ROUTER_ROLE, SEARCH_ROLE

MINIMUM_VERSION = 150000

# Run in the maintenance database by someone who may create roles. Logging in is allowed last: see `create`.
_ROLES = f"""
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['{OWNER_ROLE}', '{APP_ROLE}', '{ROUTER_ROLE}', '{SEARCH_ROLE}', '{AUDIT_ROLE}'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name);
        END IF;
    END LOOP;
END $$;
GRANT {SEARCH_ROLE}, {AUDIT_ROLE} TO {OWNER_ROLE} WITH ADMIN OPTION;
"""

# Run in our own database by its owner or a superuser. Covers the tables of Django's, allauth's and Procrastinate's migrations;
# those of a workspace get their grants, and their policies, in flowcrm/store/migrations.
_IN_DATABASE = f"""
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO {OWNER_ROLE};
GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {ROUTER_ROLE}, {SEARCH_ROLE}, {AUDIT_ROLE};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER_ROLE} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER_ROLE} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP_ROLE};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER_ROLE} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {APP_ROLE};
"""

_LOGIN = f"ALTER ROLE {OWNER_ROLE} LOGIN; ALTER ROLE {ROUTER_ROLE} LOGIN; ALTER ROLE {APP_ROLE} LOGIN;"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a role, and what to do about it."""

    what: str
    remedy: str


def create(maintenance_url: str, database: str) -> None:
    """Make roles and database where they are missing. The app may log in last: if it can, all of this was done."""
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(_ROLES)
    create_database(maintenance_url, database)
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(_LOGIN)


def create_database(maintenance_url: str, database: str) -> None:
    """Make one database of ours, if it is missing, with the schema's grants."""
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(sql.Identifier(database), sql.Identifier(OWNER_ROLE)))
    with psycopg.connect(maintenance_url, dbname=database, autocommit=True) as connection:
        connection.execute(_IN_DATABASE)


def script(database: str) -> str:
    """The same for a server of your own: SQL for psql, to be run by an administrator. Passwords are yours to choose."""
    return "\n".join(
        [
            "-- Run with psql as an administrator of the server. Put passwords of your own in place of '…'.",
            _ROLES.strip(),
            *(f"ALTER ROLE {role} LOGIN PASSWORD '…';" for role in (OWNER_ROLE, APP_ROLE, ROUTER_ROLE)),
            f"CREATE DATABASE {database} OWNER {OWNER_ROLE} ENCODING 'UTF8' TEMPLATE template0;",
            f"\\connect {database}",
            _IN_DATABASE.strip(),
            "",
        ]
    )


def problems(owner_url: str, app_url: str, router_url: str) -> list[Problem]:
    """What keeps the roles from holding the wall between accounts; empty when all is well. Raises psycopg.OperationalError."""
    with psycopg.connect(owner_url) as connection:
        version = connection.info.server_version
        owner = connection.info.user
    if version < MINIMUM_VERSION:
        return [Problem(f"PostgreSQL {version // 10000} is too old.", "Use PostgreSQL 15 or newer.")]
    found = []
    for url in (app_url, router_url):
        with psycopg.connect(url) as connection:
            found += _too_powerful(connection, owner)
    return found


_POWERS = """
SELECT rolsuper, rolbypassrls, pg_has_role(oid, %(owner)s, 'MEMBER'),
       EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relnamespace = 'public'::regnamespace)
FROM pg_roles r WHERE rolname = current_user
"""


def _too_powerful(connection: psycopg.Connection[tuple[bool, ...]], owner: str) -> list[Problem]:
    role = connection.info.user
    powers = connection.execute(_POWERS, {"owner": owner}).fetchone() or (False, False, False, False)
    superuser, bypasses, member, owns = powers
    reasons = {
        "is a superuser": (superuser, f"ALTER ROLE {role} NOSUPERUSER;"),
        "bypasses row-level security": (bypasses, f"ALTER ROLE {role} NOBYPASSRLS;"),
        "may act as the owner": (member, f"REVOKE {owner} FROM {role}; and use different roles in the three URLs."),
        "owns tables, so that no policy holds for it": (owns, f"REASSIGN OWNED BY {role} TO {owner};"),
    }
    return [Problem(f"The role {role} {what}.", remedy) for what, (holds, remedy) in reasons.items() if holds]
