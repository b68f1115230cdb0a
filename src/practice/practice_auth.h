/*
 * practice_auth: the server's side of the SASL mechanisms that the practice network knows: PLAIN,
 * LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256, XOAUTH2 and OAUTHBEARER. The password of a user in
 * the scenario is the token of the last two.
 *
 * Threads: the engine's. Ownership: auth_free.
 */
#ifndef SMTPSCOPE_PRACTICE_AUTH_H
#define SMTPSCOPE_PRACTICE_AUTH_H

#include "practice_world.h"

struct auth;

enum auth_result {
    AUTH_CHALLENGE, /* challenge holds what to ask, decoded */
    AUTH_ACCEPT,
    AUTH_REFUSE,
    AUTH_MALFORMED
};

bool auth_knows(const char *mech);
/* NULL: unknown mechanism, or no memory. */
struct auth *auth_new(const char *mech, const struct scenario_server *server, const char *host,
                      struct practice_random *random);
void auth_free(struct auth *a);
/* True when the client speaks first. */
bool auth_client_first(const struct auth *a);
/* A decoded response of the client; p == NULL: there is none yet. */
enum auth_result auth_step(struct auth *a, const char *p, size_t len, struct buf *challenge);

#endif
