/*
 * sasl: the client side of SASL mechanisms as pure steps: challenge in, response out.
 *
 * PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-1 and -256 with and without PLUS (RFC
 * 5802, 7677, 9266), XOAUTH2, OAUTHBEARER (RFC 7628), EXTERNAL (RFC 4422). Base64 is the caller's;
 * steps see decoded bytes. Server signatures of SCRAM are verified: a server that cannot prove that
 * it knows the password is reported.
 *
 * SCRAM prepares names and passwords by SASLprep (RFC 4013) as far as it goes without Unicode
 * tables: other spaces become a space, characters that are mapped to nothing are dropped, controls
 * and bytes that are no UTF-8 are refused. Normalisation (NFKC) is not done: text reaches us
 * composed. The other mechanisms send what was typed.
 *
 * Threads: one owner. Ownership: sasl_free wipes everything.
 */
#ifndef SMTPSCOPE_SASL_H
#define SMTPSCOPE_SASL_H

#include <errno.h>

#include "secret.h"
#include "tls.h"

#define SASL_CHALLENGE_MAX 65536
#define SASL_STEPS_MAX 8
#define SASL_NAME_MAX 1024         /* user, authorization identity */
#define SASL_ITERATIONS_MAX 600000 /* SCRAM: a hostile server must not keep us busy for minutes */

/* error.sys beside ST_PROTO when the server did not prove that it knows the password. */
#define SASL_UNPROVEN EACCES

enum sasl_mech {
    MECH_NONE,
    MECH_EXTERNAL,
    MECH_SCRAM_SHA_256_PLUS,
    MECH_SCRAM_SHA_256,
    MECH_SCRAM_SHA_1_PLUS,
    MECH_SCRAM_SHA_1,
    MECH_OAUTHBEARER,
    MECH_XOAUTH2,
    MECH_CRAM_MD5,
    MECH_PLAIN,
    MECH_LOGIN,
    MECH_COUNT
};

const char *sasl_mech_name(enum sasl_mech mech);    /* "SCRAM-SHA-256-PLUS" */
enum sasl_mech sasl_mech_find(const char *name);    /* MECH_NONE when unknown */
bool sasl_mech_sends_password(enum sasl_mech mech); /* in a form that a listener can use */
bool sasl_mech_is_oauth(enum sasl_mech mech);
/* Whether there is something to bind a PLUS mechanism to. */
bool sasl_can_bind(const struct tls_facts *tls);
/* The best of what is offered, for a password (oauth: for a token). PLUS only when `binding`. */
enum sasl_mech sasl_mech_choose(const char (*offered)[32], size_t count, bool oauth, bool binding);

struct sasl_params {
    enum sasl_mech mech;
    const char *user;
    const char *authzid;           /* NULL or "" for none */
    const struct secret *password; /* or token */
    const char *host;              /* OAUTHBEARER */
    uint16_t port;
    const struct tls_facts *tls; /* for channel binding; NULL in clear */
    bool plus_offered;           /* the server offers some SCRAM with PLUS (RFC 5802 6: y or n) */
    void (*random)(void *ctx, void *p, size_t len);
    void *random_ctx;
};

struct sasl; /* opaque, heap */

enum status sasl_start(const struct sasl_params *params, struct sasl **out,
                       struct error *error) MUST_CHECK;
void sasl_free(struct sasl *s);
/* True when the mechanism begins with a response that may go along with AUTH (RFC 4954 4). */
bool sasl_has_initial(const struct sasl *s);
/*
 * Next response. challenge is what the server sent, decoded (NULL, 0 for the initial response).
 * ST_OK: response filled (may be empty). ST_PROTO: the challenge is wrong, error says how; the
 * caller sends "*". `secret_response` says whether the response must never be shown.
 */
enum status sasl_step(struct sasl *s, const char *challenge, size_t len, struct buf *response,
                      bool *secret_response, struct error *error) MUST_CHECK;
/* The last response, decoded, with what must not be shown replaced by "<hidden>" and the NULs of
   PLAIN by spaces. */
const char *sasl_shown(const struct sasl *s);
/* After 235: ST_PROTO when the server should have proved itself and did not. */
enum status sasl_finish(struct sasl *s, struct error *error) MUST_CHECK;
/* After a failed OAuth: the JSON that the server gave, raw; "" when none. */
const char *sasl_oauth_error(const struct sasl *s);

#endif
