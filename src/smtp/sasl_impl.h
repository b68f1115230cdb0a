/*
 * sasl_impl: what the files of sasl share with each other. Nobody else includes it, but tests that
 * have to fix a nonce.
 *
 * Threads and ownership: as in sasl.h.
 */
#ifndef SMTPSCOPE_SASL_IMPL_H
#define SMTPSCOPE_SASL_IMPL_H

#include "sasl.h"

#define SCRAM_NONCE_RAW 18 /* multiple of 3: its base64 needs no padding */
#define SCRAM_HASH_MAX 32

struct scram {
    char nonce[64];
    struct buf gs2;        /* header as it was sent */
    struct buf first_bare; /* without its nonce until the first step */
    const char *binding_type;
    uint8_t binding[64];
    size_t binding_len;
    uint8_t server_signature[SCRAM_HASH_MAX];
    bool signature_known, verified;
};

struct sasl {
    enum sasl_mech mech;
    unsigned step; /* responses given so far */
    char *user, *authzid, *host;
    uint16_t port;
    struct secret password;
    struct buf shown;
    struct buf oauth_error;
    struct scram scram;
};

typedef enum status sasl_step_fn(struct sasl *s, struct span challenge, struct buf *response,
                                 bool *secret_response, struct error *error);

sasl_step_fn sasl_scram_step, sasl_cram_step, sasl_plain_step, sasl_login_step, sasl_oauth_step,
    sasl_external_step;

enum status sasl_scram_start(struct sasl *s, const struct sasl_params *params,
                             struct error *error) MUST_CHECK;
void sasl_scram_free(struct sasl *s);

/* RFC 5801 4: a name with its commas and equals signs escaped. */
enum status sasl_add_name(struct buf *out, const char *name) MUST_CHECK;
/* SASLprep as sasl.h describes it. ST_INVALID for what it forbids. */
enum status sasl_prep(const char *p, size_t len, struct buf *out) MUST_CHECK;

/* The server goes on where the mechanism has nothing to say any more. */
enum status sasl_asked_too_much(struct error *error);

#endif
