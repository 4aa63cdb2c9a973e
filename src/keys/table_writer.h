// table_writer.h: rows of the key tables, written as the executor writes a user's.
//
// The key tables are ordinary tables: their owner may hang triggers, constraints, indexes and generated
// columns on them, and publish them. All of that is obeyed, but for rights: who may have a key made need not
// be able to write the tables. A BEFORE trigger that swallows or changes a row raises
// triggered_data_change_violation: what was sealed under a key that is not stored as it was made never opens.
//
// Triggers, constraints and index expressions are others' code and run as the current user. They may call
// back into us: hold no DataKey, keyring or wrapping key across a call of this header.
#pragma once

#include "server/backend.h"

namespace envcrypt {

struct PlannedChecks;

// A writer owns what it opens until CloseWriter; after an error, the end of the (sub)transaction frees it.
struct TableWriter {
    Relation table;
    CmdType command;
    EState *estate;
    ResultRelInfo *target;
    TupleTableSlot *row;
    TransitionCaptureState *transition;
    PlannedChecks *checks;
    bool pushed_snapshot;
};

// What a row is to have in the columns that are ours, which are the table's first ones.
struct RowValues {
    std::span<const Datum> values;
    std::span<const bool> nulls;
};

// OpenWriter fires BEFORE STATEMENT triggers, CloseWriter the AFTER ones. `columns` are those that an UPDATE
// changes. Raises where this server may not change keys (subscribed_keys.h), or the table may not be updated.
TableWriter OpenInserter(Oid table);
TableWriter OpenUpdater(Oid table, std::span<const AttrNumber> columns);
void CloseWriter(TableWriter *writer);

// InsertRow adds a row. With a valid `unique` index, it waits for whoever is inserting a row of the same key,
// and returns false, with nothing done, where such a row is there or `confirm(context)`, called while nobody
// else can insert one any more, says no. Columns that are not ours get their defaults.
bool InsertRow(TableWriter *writer, const RowValues &row, Oid unique, bool (*confirm)(void *), void *context);

// ChangeRow replaces the columns in `replace` of the row at `found`, which the caller has locked: by a lock
// on the table that keeps other writers out, or on the row.
void ChangeRow(TableWriter *writer, TupleTableSlot *found, const RowValues &row,
               std::span<const bool> replace);

}  // namespace envcrypt
