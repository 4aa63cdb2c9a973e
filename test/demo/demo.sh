#!/usr/bin/env bash
# A short story with figures: private notes in a protected column, a clerk, a thief, a new master key, a forgotten
# person.
# Every line that claims something is checked; the first claim that is not true ends the demo with status 1.
#
# Run it with `test/run demo`, which sets WORK (an empty directory) and SOURCE (a copy of this project's files).
set -Eeuo pipefail

# shellcheck source=test/cluster.sh
source "$SOURCE/test/cluster.sh"

fortunes=${DEMO_TEXTS:-/usr/share/games/fortunes}
people=300
here=$SOURCE/test/demo
keys=$WORK/secrets/master.keys   # outside every data directory, mode 0600
texts=$WORK/texts.copy           # the plaintext: a file outside every data directory
phrases=$WORK/phrases            # what a thief would look for
step=0

trap 'echo "demo: stopped at line $LINENO" >&2' ERR

step() { step=$((step + 1)); printf '\n%d. %s\n' "$step" "$*"; }
result() { printf '   %s\n' "$@"; }
fail() { printf '\nNOT TRUE: %s\n' "$*" >&2; exit 1; }

# same CLAIM EXPECTED ACTUAL
same() { [ "$2" = "$3" ] || fail "$1 (expected \"$2\", found \"$3\")"; }

# Answers only, fields between " | ".
run_psql() { psql --no-psqlrc --quiet --tuples-only --no-align --field-separator=' | ' --set=ON_ERROR_STOP=1 "$@"; }
admin() { run_psql --username=postgres --command="$1"; }
app() { run_psql --username=app --command="$1"; }

# error_of USER STATEMENT: the SQLSTATE and message of a statement that must fail.
error_of() {
    local output
    if output=$(run_psql --username="$1" --set=VERBOSITY=verbose --command="$2" 2>&1 >/dev/null); then
        fail "this should have failed: $2"
    fi
    sed -n '1s/^ERROR:  //p' <<<"$output"
}

group() { sed ':a; s/\B[0-9]\{3\}\>/,&/; ta' <<<"$1"; }

# One text a row, in COPY's format: number, person, text. Each text counts once.
write_texts() {
    [ -n "$(find -L "$fortunes" -name '*.u8' -print -quit 2>/dev/null)" ] ||
        { echo "demo: no texts in $fortunes (Debian packages: fortunes, fortunes-min)" >&2; exit 1; }
    find -L "$fortunes" -name '*.u8' -print0 | sort -z | xargs -0 \
        perl -CS "$here/texts.pl" "$people" "$texts" "$phrases"
}

write_keys() {
    (umask 077 && printf '%s\n' "$@" >"$keys.new")
    mv "$keys.new" "$keys"
}

# found FILE-OR-DIRECTORY: how many of the phrases occur anywhere in it, as bytes.
found() {
    { LC_ALL=C grep --recursive --no-filename --only-matching --text --fixed-strings --file="$phrases" "$1" || true; } |
        LC_ALL=C sort -u | wc -l
}

# files_with_key KEY FILE-OR-DIRECTORY: the files that hold a master key as base64, as hexadecimal digits or as bytes.
files_with_key() {
    # shellcheck disable=SC2016  # Perl's variables
    find "$2" -type f -print0 | KEY=$1 xargs -0 perl -MMIME::Base64 -0777 -ne '
        BEGIN { $text = $ENV{KEY}; $bytes = decode_base64($text); $hex = unpack "H*", $bytes }
        print "$ARGV\n" if /\Q$text\E|(?i:$hex)|\Q$bytes\E/'
}

# What the table is on disk: its files' names and a checksum of their bytes (the long values' own file, too).
notes_on_disk() {
    admin "CHECKPOINT"
    local file
    admin "SELECT pg_relation_filepath(oid) FROM pg_class WHERE oid = 'notes'::regclass
        UNION ALL SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'notes'::regclass" |
        while read -r file; do
            (cd "$PGDATA" && md5sum "$file")
        done
}

# Checksums are what is sorted here, not texts: a sort may write a temporary file.
notes_digest() {
    app "SELECT count(*), md5(string_agg(md5(body), '' ORDER BY note_id)) FROM notes"
}

# What envcrypt_verify() finds: "N good", and after it "N FAULT" for each kind of fault.
verified() {
    app "WITH found AS MATERIALIZED (SELECT problem, rows FROM envcrypt_verify('notes'))
         SELECT concat_ws(', ', 2 * max(rows) - sum(rows) || ' good', string_agg(rows || ' ' || problem, ', '))
         FROM found"
}

# ask QUERY: shows a query on the encrypted column, and proves the answer on the plaintext file.
ask() {
    local answer expected
    answer=$(app "$1")
    expected=$(app "${1//FROM notes/FROM plain_file}")
    same "the encrypted column answers as plain text would: $1" "$expected" "$answer"
    printf '   %s\n' "$1"
    printf '      %s\n' "${answer//$'\n'/$'\n      '}"
}

begin() {
    step "A new cluster. The master key is one line in a file outside the data directory, mode 0600."
    mkdir -p "$WORK/secrets"
    old_key=$(cluster_master_key)
    new_key=$(cluster_master_key)
    write_keys "$old_key"
    # temp_file_limit=0: a query that would write plaintext to a temporary file fails instead.
    cluster_start demo fsync=off log_statement=none work_mem=256MB temp_file_limit=0 "envcrypt.master_key_file=$keys"
    run_psql --username=postgres --set=texts="$texts" --set=people="$people" --file="$here/schema.sql"
    admin "SELECT envcrypt_rotate_master()" >"$WORK/registered"
    same "the key file is closed to others" 600 "$(stat --format=%a "$keys")"
    result "PostgreSQL $(admin 'SHOW server_version'), envcrypt $(admin \
        "SELECT extversion FROM pg_extension WHERE extname = 'envcrypt'")"
    result "SELECT envcrypt_rotate_master()  registers the master key by its fingerprint"
    result "people(person_id, name), notes(note_id, person_id, body text)"
}

protect() {
    local shown="SELECT \"table\", \"column\", type, owner_column, protection FROM envcrypt_columns"
    step "One statement protects the column. The application's SQL stays as it is."
    app "SELECT envcrypt_protect('notes', 'body', 'person_id')" >"$WORK/protected"
    same "the column is protected" "notes | body | encrypted_text | person_id | owner" "$(app "$shown")"
    result "SELECT envcrypt_protect('notes', 'body', 'person_id')" "$shown" "   $(app "$shown")"
}

fill() {
    step "The application writes real texts; each is sealed under the data key of the person it belongs to."
    result "INSERT INTO notes SELECT note_id, person_id, body FROM plain_file"
    app "INSERT INTO notes SELECT note_id, person_id, body FROM plain_file"
    # FREEZE: later reads then have no reason to mark rows, so the files' bytes can be compared.
    admin "VACUUM (FREEZE, ANALYZE) notes"
    local written
    written=$(admin "SELECT count(*) FROM notes")
    same "every text was written" "$(wc -l <"$texts")" "$written"
    data_keys=$(admin "SELECT count(*) FROM envcrypt_data_keys")
    same "one data key a person, and the database key" $((people + 1)) "$data_keys"
    result "$(group "$written") notes of $people people; $data_keys data keys, all wrapped by the master key"
    same "every value opens, and is its person's" "$written good" "$(verified)"
    result "SELECT * FROM envcrypt_verify('notes')  ->  $(verified)"
    result "(plain_file is a foreign table over a file outside the data directory: no plaintext enters the cluster)"
}

query() {
    step "It reads with the SQL it always had; each answer equals the one computed from the plaintext file."
    ask "SELECT count(*) FROM notes WHERE body LIKE '%computer%'"
    ask "SELECT name, count(*) FROM notes JOIN people USING (person_id) WHERE body ILIKE '%unix%' \
GROUP BY name ORDER BY 2 DESC, 1 LIMIT 3"
    ask "SELECT body FROM notes WHERE body LIKE 'Never %' AND length(body) < 60 ORDER BY body LIMIT 3"
}

tempt() {
    step "A clerk may write, but not open: sees the row, not the text, and cannot move \
the sealed text into another person's row."
    local seen error
    seen=$(run_psql --username=clerk --command="SELECT body FROM notes WHERE note_id = 1")
    [[ $seen == envcrypt1:* ]] || fail "the clerk sees sealed text, not $seen"
    result "clerk: SELECT body FROM notes WHERE note_id = 1  ->  ${seen:0:48}..."
    error=$(PGOPTIONS='-c envcrypt.io=ciphertext' error_of clerk "UPDATE notes SET body = '$seen' WHERE note_id = 2")
    same "SQLSTATE of a planted value" 42501 "${error%%:*}"
    result "clerk: UPDATE notes SET body = '${seen:0:16}...' WHERE note_id = 2" "   ERROR $error"
}

steal() {
    step "A thief takes the data directory and a dump, and looks for every line of the texts longer than 30 characters."
    admin "CHECKPOINT"
    pg_dump --file="$WORK/demo.dump"
    local in_files in_dump
    in_files=$(found "$PGDATA")
    in_dump=$(found "$WORK/demo.dump")
    same "no line in the data directory" 0 "$in_files"
    same "no line in the dump" 0 "$in_dump"
    same "no line in the server log" 0 "$(found "$WORK/demo.log")"
    same "no master key in the data directory" "" "$(files_with_key "$old_key" "$PGDATA")"
    same "the search for the master key works" "$keys" "$(files_with_key "$old_key" "$keys")"
    result "encrypted column: $in_files in the data directory \
($(du --summarize --block-size=M "$PGDATA" | cut -f1), WAL included), \
$in_dump in pg_dump's output; the master key: not there"
    compare_plain
}

# The same search on a cluster that holds the same texts in a plain column: a search that finds nothing proves nothing.
compare_plain() {
    local sought in_files in_dump
    sought=$(wc -l <"$phrases")
    in_files=$( (
        export PGPORT=5433
        cluster_start plain fsync=off port=5433
        run_psql --command="CREATE TABLE notes (note_id int, person_id int, body text)" \
            --command="\\copy notes from '$texts'" --command="CHECKPOINT"
        pg_dump --file="$WORK/plain.dump"
        found "$PGDATA"
        cluster_stop plain
    ))
    in_dump=$(found "$WORK/plain.dump")
    # Long texts are compressed in the files: not every line is found there.
    [ "$in_files" -gt $((sought * 8 / 10)) ] || fail "the search finds plain text in files: $in_files of $sought lines"
    same "the search finds every line in a plain dump" "$sought" "$in_dump"
    result "plain column:     $(group "$in_files") in the data directory, \
$(group "$in_dump") in pg_dump's output, of $(group "$sought") lines looked for"
}

rotate() {
    step "The master key changes: a new key on top of the file, a reload, one call. No row of notes is touched."
    local before after digest updates report
    digest=$(notes_digest)
    before=$(notes_on_disk)
    # Inserts beside updates: zero updates would mean nothing if nothing were counted.
    updates="SELECT n_tup_ins, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'notes'"
    write_keys "$new_key" "$old_key"
    same "the configuration reloads" t "$(admin "SELECT pg_reload_conf()")"
    report=$(run_psql --username=postgres --command='\timing on' --command="SELECT envcrypt_rotate_master()")
    after=$(notes_on_disk)
    same "all data keys were re-wrapped" "$data_keys" "$(head -n 1 <<<"$report")"
    same "the files of notes have the same names and bytes" "$before" "$after"
    same "no row of notes was updated" "${digest%% |*} | 0" "$(admin "$updates")"
    result "SELECT envcrypt_rotate_master()  ->  $data_keys data keys re-wrapped in $(
        sed -n 's/^Time: \([0-9.]* ms\).*/\1/p' <<<"$report")"
    result "md5 of notes' file before: $(sed -n 1p <<<"$before")" \
        "md5 of notes' file after:  $(sed -n 1p <<<"$after")" \
        "rows of notes inserted | updated so far: $(admin "$updates")"
    step "The old key leaves the file, and the server restarts: everything still reads."
    write_keys "$new_key"
    cluster_restart demo
    same "count and checksum of all texts" "$digest" "$(notes_digest)"
    result "notes and md5 of all texts, before and after: $digest"
    step "With the old key alone, the server starts, and nothing opens."
    write_keys "$old_key"
    cluster_restart demo
    local error
    error=$(error_of app "SELECT body FROM notes WHERE note_id = 1")
    same "SQLSTATE without the master key" ZE001 "${error%%:*}"
    result "ERROR $error"
    write_keys "$new_key"
    cluster_restart demo
    same "with the new key again" "$digest" "$(notes_digest)"
}

shred() {
    local person=42 name others error digest
    digest=$(notes_digest)
    name=$(app "SELECT name FROM people WHERE person_id = $person")
    others="SELECT count(*), md5(string_agg(md5(body), '' ORDER BY note_id)) FROM notes WHERE person_id <> $person"
    local before
    before=$(app "$others")
    step "$name asks to be forgotten: that person's data key is destroyed. Those notes are gone, everyone else's read."
    result "SELECT envcrypt_shred_user('$person')  ->  $(
        admin "SELECT envcrypt_shred_user('$person')" | cut -c 1-100)..."
    error=$(error_of app "SELECT body FROM notes WHERE person_id = $person LIMIT 1")
    same "SQLSTATE of a shredded person's note" ZE003 "${error%%:*}"
    result "those notes: ERROR $error"
    same "everyone else's notes read as before" "$before" "$(app "$others")"
    result "the others: $(group "${before%% |*}") notes read as before"
    same "nothing else is lost" "${before%% |*} good, $((${digest%% |*} - ${before%% |*})) data key destroyed" \
        "$(verified)"
    result "SELECT * FROM envcrypt_verify('notes')  ->  $(verified)"
    error=$(error_of app "INSERT INTO notes VALUES (0, $person, 'a new note')")
    same "SQLSTATE of a note for a shredded person" ZE003 "${error%%:*}"
    result "INSERT INTO notes VALUES (0, $person, 'a new note'): ERROR $error"
}

finish() {
    same "still no line in the data directory" 0 "$(found "$PGDATA")"
    step "After all of this, the thief looks again: 0 lines in the data directory. Every figure above was checked."
}

write_texts
begin
protect
fill
query
tempt
steal
rotate
shred
finish
