// subscribed_keys.h: servers whose key tables are filled by logical replication.
//
// Such a server changes no keys itself: a key that both sides make stops replication for good, and one that
// was shredded here would come back with the publisher's next rotation.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// KeySubscriptions returns the names of the subscriptions, disabled ones included, that fill a key table of
// this database, quoted and separated by commas, or nullptr. palloc'd.
char *KeySubscriptions();

// RefuseOnSubscriber raises where there is one, but not in replication's own workers.
void RefuseOnSubscriber();

}  // namespace envcrypt
