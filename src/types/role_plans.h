// role_plans.h: statements that hold values sealed for a role serve no other role.
//
// A literal is sealed while its statement is parsed, some constants while it is planned, for the role that is
// current then (transit.h). PostgreSQL keeps parsed statements and plans, and has the means for those that
// depend on the role, as with row-level security: they are parsed or planned anew when another runs them.
// Statements without such a value are left alone.
#pragma once

namespace envcrypt {

void InstallPlanHooks();

}  // namespace envcrypt
