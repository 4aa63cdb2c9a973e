#include "keys/key_table_guard.h"

#include "keys/key_table_parts.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/settings.h"
#include "server/statement_state.h"

extern "C" {
#include "executor/spi.h"
}

namespace envcrypt {
namespace {

[[noreturn]] void RaiseTruncate(const char *table) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("cannot truncate table \"%s\"", table),
             errdetail("It holds keys of this database, without which no encrypted value can be opened."),
             HintOnPurpose("To destroy one owner's keys, call envcrypt_shred_user()."), HideFromLog()));
    pg_unreachable();
}

}  // namespace

void GuardTruncate(Oid table) {
    if (settings.allow_data_loss)
        return;
    if (IsKeyTable(table))
        RaiseTruncate(get_rel_name(table));
}

void GuardPersistence(Oid table, char persistence) {
    if (persistence == RELPERSISTENCE_PERMANENT || settings.allow_data_loss || !IsKeyTable(table))
        return;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("cannot make table \"%s\" unlogged", get_rel_name(table)),
                    errdetail("A crash would empty it, standbys and backups would lack it, and no encrypted "
                              "value could be opened any more."),
                    HintOnPurpose("Leave it as it is."), HideFromLog()));
}

void GuardKeyTable(const TriggerData &trigger) {
    if (settings.allow_data_loss || IsReplicationWorker())
        return;
    const char *table = RelationGetRelationName(trigger.tg_relation);
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event))
        RaiseTruncate(table);
    if (!TRIGGER_FIRED_FOR_ROW(trigger.tg_event) || !TRIGGER_FIRED_BY_DELETE(trigger.tg_event) ||
        RelationGetRelid(trigger.tg_relation) != Objects().data_keys)
        return;
    const TupleDesc columns = RelationGetDescr(trigger.tg_relation);
    const int wrapped_key = SPI_fnumber(columns, "wrapped_key");
    if (wrapped_key > 0 && heap_attisnull(trigger.tg_trigtuple, wrapped_key, columns))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("cannot delete data keys from table \"%s\"", table),
             errdetail("What was sealed under them could not be opened any more."),
             HintOnPurpose("To destroy one owner's keys, call envcrypt_shred_user()."), HideFromLog()));
}

}  // namespace envcrypt
