-- Search by several words, each of which may stand in several classes. Like the function before it, this one belongs to a role
-- without login whose own policy opens search_row (under a policy PostgreSQL may not use GIN for array operators); the
-- workspace stands inside, and only ids and moments leave it. It proposes: the mail itself answers (docs/why/search.md).
DROP FUNCTION find_tokens(bigint[], bigint[], timestamptz, integer);

-- words: a row for each word, with its token in each class that counts (shorter rows are filled up by repeating one).
-- any_of: tokens of which one must be there, as of the mailboxes that are read. What lies before that place, newest first.
CREATE FUNCTION find_messages(words bigint[], any_of bigint[], before_at timestamptz, before_id bigint, at_most integer)
RETURNS TABLE (message_id bigint, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    in_classes bigint[];
    each_word text := '';
BEGIN
    -- Put together, since an index serves conditions, and no loop over them.
    FOREACH in_classes SLICE 1 IN ARRAY words LOOP
        each_word := each_word || format(' AND s.tok && %L::bigint[]', in_classes);
    END LOOP;
    RETURN QUERY EXECUTE format(
        'SELECT s.message_id, s.at FROM search_row s
         WHERE s.workspace_id = current_setting(''app.workspace'')::bigint AND s.tok && $1 %s AND (s.at, s.message_id) < ($2, $3)
         ORDER BY s.at DESC, s.message_id DESC LIMIT $4', each_word)
    USING any_of, before_at, before_id, at_most;
END $$;
GRANT CREATE ON SCHEMA public TO flowcrm_search;
ALTER FUNCTION find_messages(bigint[], bigint[], timestamptz, bigint, integer) OWNER TO flowcrm_search;
REVOKE CREATE ON SCHEMA public FROM flowcrm_search;
REVOKE EXECUTE ON FUNCTION find_messages(bigint[], bigint[], timestamptz, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_messages(bigint[], bigint[], timestamptz, bigint, integer) TO flowcrm_app;
