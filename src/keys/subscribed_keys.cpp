#include "keys/subscribed_keys.h"

#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/statement_state.h"

extern "C" {
#include "catalog/pg_subscription.h"
#include "catalog/pg_subscription_rel.h"
#include "lib/stringinfo.h"
#include "utils/catcache.h"
}

namespace envcrypt {
namespace {

// One subscription may fill both tables.
List *SubscriptionsOf(Oid table, List *found) {
    CatCList *list = SearchSysCacheList1(SUBSCRIPTIONRELMAP, ObjectIdGetDatum(table));
    for (int i = 0; i < list->n_members; i++) {
        const auto *row = reinterpret_cast<Form_pg_subscription_rel>(GETSTRUCT(&list->members[i]->tuple));
        found = list_append_unique_oid(found, row->srsubid);
    }
    ReleaseSysCacheList(list);
    return found;
}

}  // namespace

char *KeySubscriptions() {
    List *subscriptions = SubscriptionsOf(Objects().master_keys, SubscriptionsOf(Objects().data_keys, NIL));
    if (subscriptions == NIL)
        return nullptr;
    StringInfoData names;
    initStringInfo(&names);
    const ListCell *cell = nullptr;
    foreach (cell, subscriptions) {
        const char *name = get_subscription_name(lfirst_oid(cell), true);
        if (name != nullptr)
            appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", name);
    }
    return names.len > 0 ? names.data : nullptr;
}

void RefuseOnSubscriber() {
    if (IsReplicationWorker())
        return;
    if (const char *names = KeySubscriptions(); names != nullptr)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("cannot change keys on a subscriber of the key tables"),
                 errdetail("They are filled by the publisher of subscription %s.", names),
                 errhint("Make, rotate and shred keys on the publisher; its changes come here. To make this "
                         "server independent, drop the subscription."),
                 HideFromLog()));
}

}  // namespace envcrypt
