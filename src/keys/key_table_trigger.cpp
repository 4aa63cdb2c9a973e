// key_table_trigger.cpp: what happens when somebody writes the key tables with SQL, or replication does.
//
// Every backend looks again at the keys that it has opened, unless a key is merely new. What was shredded
// stays so. A replication worker's rows meet those that this server made before it subscribed: one key or
// fingerprint that both have is one row, in the state that the publisher has for it.

#include "keys/key_locks.h"
#include "keys/key_table.h"
#include "keys/key_table_guard.h"
#include "keys/master_key_table.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/statement_state.h"

namespace envcrypt {
namespace {

void RaiseOrWarnDestroyed(std::uint64_t key_id) {
    const bool worker = IsReplicationWorker();
    ereport(worker ? WARNING : ERROR,
            (errcode(kErrKeyDestroyed),
             errmsg("data key " INT64_FORMAT " was destroyed here and does not come back",
                    static_cast<int64>(key_id)),
             worker ? errdetail("The publisher's row of it is ignored.")
                    : errdetail("Its row in envcrypt_data_keys is a tombstone."),
             HideFromLog()));
}

[[noreturn]] void RaiseOwnersOtherKey(const KeyIdentity &incoming, const StoredKey &here) {
    ereport(ERROR,
            (errcode(ERRCODE_UNIQUE_VIOLATION),
             errmsg("this server and the publisher have made different data keys for owner \"%.*s\"",
                    static_cast<int>(incoming.owner.stored.size()), incoming.owner.stored.data()),
             errdetail("The publisher's is " INT64_FORMAT ", the one made here " INT64_FORMAT ".",
                       static_cast<int64>(incoming.key_id), static_cast<int64>(here.row.key_id)),
             errhint("Replication goes on when the row of the key made here is gone from envcrypt_data_keys. "
                     "What it sealed does not open any more then: save it first."),
             HideFromLog()));
    pg_unreachable();
}

// A new key's row changes nothing that a backend may have opened, unless it supersedes another.
bool IsMerelyNew(const KeyIdentity &key) noexcept {
    return key.is_data && !key.owner.is_database() && key.key_version == 1;
}

// False where the publisher's row is not to be added.
bool TakeReplicatedKey(const KeyIdentity &incoming, TupleTableSlot *row) {
    StoredKey here;
    if (FindKey(incoming.key_id, &here)) {
        if (!here.shredded) {
            ReplaceKey(here, row);
            AnnounceKeyTableChange();
        } else if (!incoming.shredded) {
            RaiseOrWarnDestroyed(incoming.key_id);
        }
        return false;
    }
    if (incoming.is_data && !incoming.owner.is_database() &&
        FindOwnersKey(incoming.owner, incoming.key_version, &here))
        RaiseOwnersOtherKey(incoming, here);
    return true;
}

bool DataKeyInserted(const TriggerData *data) {
    KeyIdentity key;
    const bool readable = ReadIdentity(data->tg_trigslot, &key);  // else its constraints complain
    if (readable && IsReplicationWorker() && !TakeReplicatedKey(key, data->tg_trigslot))
        return false;
    if (!readable || !IsMerelyNew(key))
        AnnounceKeyTableChange();
    return true;
}

bool DataKeyUpdated(const TriggerData *data) {
    KeyIdentity before;
    KeyIdentity after;
    if (ReadIdentity(data->tg_trigslot, &before) && before.shredded &&
        (!ReadIdentity(data->tg_newslot, &after) || !after.shredded)) {
        RaiseOrWarnDestroyed(before.key_id);
        return false;
    }
    AnnounceKeyTableChange();
    return true;
}

bool MasterKeyWritten(const TriggerData *data) {
    CacheInvalidateRelcacheByRelid(Objects().master_keys);
    if (!IsReplicationWorker() || TRIGGER_FIRED_BY_DELETE(data->tg_event))
        return true;
    if (TRIGGER_FIRED_BY_UPDATE(data->tg_event)) {
        MakeWayForCurrent(data->tg_newslot);
        return true;
    }
    return !MergeMasterKey(data->tg_trigslot);
}

// False where the row is not to be written.
bool RowWritten(const TriggerData *data) {
    if (RelationGetRelid(data->tg_relation) == Objects().master_keys)
        return MasterKeyWritten(data);
    if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
        return DataKeyInserted(data);
    if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
        return DataKeyUpdated(data);
    AnnounceKeyTableChange();
    return true;
}

}  // namespace

}  // namespace envcrypt

using namespace envcrypt;

// BEFORE INSERT OR UPDATE OR DELETE (row) and BEFORE TRUNCATE (statement). BEFORE, because AFTER ROW events
// would be queued, one for each row of a restore.
ENVCRYPT_FUNCTION(envcrypt_key_table_trigger) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("envcrypt_key_table_trigger was not called by trigger manager")));
    const auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    const Oid table = RelationGetRelid(data->tg_relation);
    if (!TRIGGER_FIRED_BEFORE(data->tg_event) ||
        (table != Objects().data_keys && table != Objects().master_keys))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("envcrypt_key_table_trigger fires before changes of the key tables only")));
    GuardKeyTable(*data);
    if (!TRIGGER_FIRED_BY_INSERT(data->tg_event))
        ForceSyncCommit();
    if (!TRIGGER_FIRED_FOR_ROW(data->tg_event)) {
        CacheInvalidateRelcacheByRelid(table);
        return kNullPointer;
    }
    if (!RowWritten(data))
        return kNullPointer;
    PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple);
}
