// managed_owner_trigger.cpp: the triggers that make a data key with each user and, if they are told to,
// destroy it with the user.

#include "columns/row_trigger.h"
#include "keys/key_creation.h"
#include "keys/key_row_locks.h"
#include "keys/managed_owners.h"
#include "keys/shredding.h"
#include "keys/users_table.h"
#include "server/access.h"
#include "server/errors.h"
#include "server/statement_state.h"

namespace envcrypt {
namespace {

// A name that another row or table still has keeps its key. The first lock makes two who delete the last two
// rows with one name follow each other; the second waits for those who have just written a row with it, and
// keeps others from it (UserWritten), so that none can be missed.
void ShredUser(const Owner &owner, Oid truncated) {
    for (const LockTupleMode mode : {LockTupleNoKeyExclusive, LockTupleExclusive}) {
        if (!LockKeys(owner, mode) || IsUserOfAnyTable(owner, truncated))
            return;
    }
    Tombstones tombstones;
    TombstonesOf(owner, &tombstones);
    DestroyKeys(
        owner, tombstones[0], [](std::uint64_t, std::uint32_t, void *) {}, nullptr);
}

void UserWritten(const TriggerData *data) {
    const RowTrigger &trigger = UserTriggerOf(data);
    const bool updated = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
    HeapTuple row = updated ? data->tg_newtuple : data->tg_trigtuple;
    if (updated && SameInBoth(data->tg_relation, data->tg_trigtuple, row, trigger.owner_column))
        return;
    Owner owner;
    if (!OwnerOfRow(trigger, data->tg_relation, row, &owner))
        return;
    RequireValidOwner(owner);
    // What is restored brings its keys along; else the first value makes one.
    if (LockActiveKey(owner) || CurrentAccess().is_ciphertext_forced)
        return;
    EnsureActiveKey(owner, false, "making a data key for a new user");
    // It may be another transaction's that has just ended.
    if (!LockActiveKey(owner))
        RaiseShredded(owner);
}

void UserDeleted(const TriggerData *data) {
    // An UPDATE that moves the row to another partition.
    if (HeapTupleHeaderIndicatesMovedPartitions(data->tg_trigtuple->t_data))
        return;
    Owner owner;
    if (OwnerOfRow(UserTriggerOf(data), data->tg_relation, data->tg_trigtuple, &owner) && IsValidOwner(owner))
        ShredUser(owner, InvalidOid);
}

// A statement trigger has no WHEN clause: the row trigger beside it names the column.
void UsersTruncated(const TriggerData *data) {
    const TriggerDesc *triggers = CopyTriggerDesc(data->tg_relation->trigdesc);
    UsersTable users{.table = RelationGetRelid(data->tg_relation), .column = InvalidAttrNumber};
    for (int i = 0; i < triggers->numtriggers; i++) {
        const Trigger &other = triggers->triggers[i];
        if (other.tgfoid == data->tg_trigger->tgfoid && other.tgqual != nullptr &&
            users.column == InvalidAttrNumber)
            users.column = UserColumnOf(other.tgqual);
    }
    if (users.column == InvalidAttrNumber || !CanHaveUsers(users))
        return;
    ForEachUser(
        users,
        [](const Owner &owner, void *truncated) { ShredUser(owner, *static_cast<const Oid *>(truncated)); },
        &users.table);
}

void RequireFormOfOurs(const TriggerData *data) {
    const Trigger &trigger = *data->tg_trigger;
    const bool empties = HasFormOfOurs(trigger, kEmpties);
    if (trigger.tgnargs > 0 ||
        !(empties || HasFormOfOurs(trigger, kMakesKeys) || HasFormOfOurs(trigger, kDestroysKeys)))
        RaiseNotUserTrigger(data->tg_relation, trigger);
    if (!empties && !CanHaveUsers({RelationGetRelid(data->tg_relation), UserTriggerOf(data).owner_column}))
        RaiseNotUserTrigger(data->tg_relation, trigger);
}

}  // namespace

}  // namespace envcrypt

using namespace envcrypt;

// Who may attach this function to a table has the right to delegate keys, so it asks for no right of whoever
// writes the row.
ENVCRYPT_FUNCTION(envcrypt_managed_owner_trigger) {
    auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("function was not called as a trigger of envcrypt_manage_owners()")));
    RequireFormOfOurs(data);
    if (SpeaksOnlyCiphertext())  // the rows of keys are replicated themselves
        return kNullPointer;
    if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
        UsersTruncated(data);
    else if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
        UserDeleted(data);
    else
        UserWritten(data);
    return kNullPointer;
}
