// table_query.h: a SELECT from one table that is known by its OID.
//
// SQL names its table, and who owns the schema may rename that, and put another of the old name in its place,
// between the moment the name is written down and the moment it is read; a view there would run his
// functions. What runs here reads the table that was meant, or an error is raised before anything runs: no
// plan of it is kept, so that no name is read twice.
#pragma once

#include "server/backend.h"

namespace envcrypt {

struct QueryArguments {
    int count;
    Oid *types;
    Datum *values;  // none is null
};

// QueryTable runs `query`, which may use parallel workers, under `snapshot`, gives at most `limit` rows (0:
// all) to `receiver`, and returns their number. The caller holds a lock on the table, and answers for its
// kind.
// `*columns` is palloc'd, if asked for.
uint64 QueryTable(Relation table, const char *query, const QueryArguments &arguments, Snapshot snapshot,
                  uint64 limit, DestReceiver *receiver, TupleDesc *columns = nullptr);

// QualifiedName returns the table's name, as it is now.
const char *QualifiedName(Relation table);

}  // namespace envcrypt
