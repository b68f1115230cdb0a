/*
 * check_login: one login on the path's connection, for the AUTH step and for what needs to be
 * logged in.
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_CHECK_LOGIN_H
#define SMTPSCOPE_CHECK_LOGIN_H

#include "auth.h"
#include "check.h"

/* The mechanism that would be used here: the user's if the server offers it, else the best.
 * MECH_NONE: none fits. */
enum sasl_mech login_mech(const struct check_context *c);
/*
 * True when the mechanism may be used now: under TLS, and where it shows the password to the other
 * side, with a certificate that proves who that is; or because the user said so.
 */
bool login_is_allowed(const struct check_context *c, enum sasl_mech mech);
/* One try, never a second one. Statuses as auth_run. */
enum status login_run(struct check_context *c, enum sasl_mech mech, struct reply *reply,
                      struct error *error) MUST_CHECK;

#endif
