// ddl_commands.h: which objects a DDL command made or changed, by OID.
//
// PostgreSQL tells its object access hook of each object as a command makes, changes or drops it, which costs
// next to nothing. Two event triggers stand around it: one at a command's start, so that the library is there
// in sessions that have not loaded it, and one at its end, where ddl_guard.cpp looks at what was noted here.
// The hook is set only while such a command runs: PostgreSQL keeps fewer caches while there is one.
#pragma once

#include "server/backend.h"

namespace envcrypt {

struct TouchedObject {
    Oid catalog;  // as in pg_depend.classid; InheritsRelationId: the object began or ended to inherit
    Oid object;
    bool operator==(const TouchedObject &) const = default;
};

// What a command is, as far as dropping and renaming go.
struct DdlCommand {
    int first;             // of its touched objects
    bool names_extension;  // DROP EXTENSION envcrypt
    bool alters_table;     // and so names the columns that it drops
    bool drops_type;
    bool renames;
    bool moves_ours;       // renames or moves what may be ours: all that it touches are noted
    bool takes_from_keys;  // it has dropped a part of a key table
    // The first encrypted column that it has dropped with something else, and its table; or nullptr.
    const char *lost_column;
    const char *lost_table;
    const char *lost_from;  // what the table is: perhaps a view
    bool unmakes;           // it has dropped the opening function of an encrypted type
    Oid unopened;  // the first encrypted type whose opening function it has dropped, perhaps without the type
};

DdlCommand &CurrentDdlCommand() noexcept;

// What the current command has touched so far, in its order, some of it perhaps more than once. The list may
// grow while it is worked on.
int TouchedCount() noexcept;
TouchedObject Touched(int number) noexcept;

// NoteTouched adds an object to what the current command has touched.
void NoteTouched(Oid catalog, Oid object);

// EndDdlCommand is for the event trigger at a command's end, when it is done.
void EndDdlCommand();

// What hears of each object, or column, that is about to be dropped (ObjectAccessDrop's flags), of each table
// that a TRUNCATE names or reaches, and of the end of each command.
struct DdlHandlers {
    void (*dropping)(Oid catalog, Oid object, int column, int flags);
    void (*truncating)(Oid table);
    void (*ending)();
};

void InstallDdlHooks(const DdlHandlers &handlers);

}  // namespace envcrypt
