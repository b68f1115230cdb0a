#include "sasl_impl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base64.h"
#include "escape.h"
#include "text.h"

#define SALT_MAX 1024
#define NONCE_MAX 1024 /* ours and the server's together */
/* The server's first message, and ours with name, nonces and binding. */
#define AUTH_MESSAGE_MAX (SASL_CHALLENGE_MAX + 16 * SASL_NAME_MAX)

static const EVP_MD *hash_of(const struct sasl *s)
{
    bool sha1 = s->mech == MECH_SCRAM_SHA_1 || s->mech == MECH_SCRAM_SHA_1_PLUS;
    return sha1 ? EVP_sha1() : EVP_sha256();
}

static bool is_plus(const struct sasl *s)
{
    return s->mech == MECH_SCRAM_SHA_1_PLUS || s->mech == MECH_SCRAM_SHA_256_PLUS;
}

/* RFC 5802 5.1: a saslname is prepared before it is escaped. */
static enum status add_prepared_name(struct buf *out, const char *name)
{
    struct buf prepared;
    buf_init(&prepared, SASL_NAME_MAX);
    enum status st = sasl_prep(name, strlen(name), &prepared);
    if (st == ST_OK) {
        st = prepared.len > 0 ? sasl_add_name(out, buf_str(&prepared)) : ST_INVALID;
    }
    buf_free(&prepared);
    return st;
}

static void choose_binding(struct scram *scram, const struct tls_facts *tls)
{
    bool unique = tls->binding_type != NULL && tls->binding_len > 0;
    const uint8_t *data = unique ? tls->binding : tls->end_point;
    size_t len = unique ? tls->binding_len : tls->end_point_len;
    scram->binding_type = unique ? tls->binding_type : "tls-server-end-point";
    scram->binding_len = len < sizeof(scram->binding) ? len : sizeof(scram->binding);
    memcpy(scram->binding, data, scram->binding_len);
}

/*
 * RFC 5802 6: "y" says that we could bind and think that the server cannot, so that a server which
 * can notices when somebody took its PLUS mechanisms out of the list.
 */
static enum status build_gs2(struct sasl *s, const struct sasl_params *params)
{
    struct scram *scram = &s->scram;
    enum status st;
    if (is_plus(s)) {
        choose_binding(scram, params->tls);
        st = buf_addf(&scram->gs2, "p=%s,", scram->binding_type);
    } else {
        bool could = sasl_can_bind(params->tls) && !params->plus_offered;
        st = buf_add_str(&scram->gs2, could ? "y," : "n,");
    }
    if (st == ST_OK && s->authzid[0] != '\0') {
        st = buf_add_str(&scram->gs2, "a=");
        if (st == ST_OK) {
            st = add_prepared_name(&scram->gs2, s->authzid);
        }
    }
    return st == ST_OK ? buf_add_char(&scram->gs2, ',') : st;
}

static enum status prepare_password(struct sasl *s)
{
    struct buf prepared;
    buf_init(&prepared, SECRET_MAX);
    enum status st = sasl_prep(s->password.p, s->password.len, &prepared);
    if (st == ST_OK && prepared.len == 0) {
        st = ST_INVALID;
    }
    if (st == ST_OK) {
        st = secret_set(&s->password, prepared.p, prepared.len);
    }
    buf_wipe(&prepared);
    return st;
}

enum status sasl_scram_start(struct sasl *s, const struct sasl_params *params, struct error *error)
{
    struct buf nonce;
    uint8_t raw[SCRAM_NONCE_RAW];
    buf_init(&nonce, sizeof(s->scram.nonce) - 1);
    params->random(params->random_ctx, raw, sizeof(raw));
    enum status st = base64_encode(&nonce, raw, sizeof(raw));
    if (st == ST_OK) {
        str_copy(s->scram.nonce, sizeof(s->scram.nonce), buf_str(&nonce));
        st = build_gs2(s, params);
    }
    if (st == ST_OK) {
        st = prepare_password(s);
    }
    if (st == ST_OK) {
        st = buf_add_str(&s->scram.first_bare, "n=");
    }
    if (st == ST_OK) {
        st = add_prepared_name(&s->scram.first_bare, s->user);
    }
    buf_free(&nonce);
    if (st == ST_INVALID) {
        return error_set(error, st, 0,
                         _("The user name or the password holds characters that this login method "
                           "does not allow."));
    }
    if (st != ST_OK) {
        return error_set(error, st, 0, _("There is not enough memory for the login."));
    }
    return ST_OK;
}

void sasl_scram_free(struct sasl *s)
{
    buf_free(&s->scram.gs2);
    buf_free(&s->scram.first_bare);
    secret_wipe(&s->scram, sizeof(s->scram));
}

static enum status client_first(struct sasl *s, struct buf *response)
{
    struct scram *scram = &s->scram;
    enum status st = buf_addf(&scram->first_bare, ",r=%s", scram->nonce);
    if (st == ST_OK) {
        st = buf_add(response, scram->gs2.p, scram->gs2.len);
    }
    if (st == ST_OK) {
        st = buf_add(response, scram->first_bare.p, scram->first_bare.len);
    }
    return st == ST_OK ? buf_add(&s->shown, response->p, response->len) : st;
}

/* Cuts "k=value" off the front; false when the next attribute is another one. */
static bool take_attribute(struct span *rest, char key, struct span *value)
{
    if (rest->len < 2 || rest->p[0] != key || rest->p[1] != '=') {
        return false;
    }
    const char *comma = memchr(rest->p, ',', rest->len);
    size_t end = comma != NULL ? (size_t)(comma - rest->p) : rest->len;
    value->p = rest->p + 2;
    value->len = end - 2;
    size_t skip = comma != NULL ? end + 1 : end;
    rest->p += skip;
    rest->len -= skip;
    return true;
}

struct server_first {
    struct span nonce;
    struct buf salt;
    int iterations;
};

static bool nonce_is_ours(const struct sasl *s, struct span nonce)
{
    size_t len = strlen(s->scram.nonce);
    if (nonce.len <= len || nonce.len > NONCE_MAX || memcmp(nonce.p, s->scram.nonce, len) != 0) {
        return false;
    }
    for (size_t i = 0; i < nonce.len; i++) {
        if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool read_iterations(struct span value, int *out)
{
    long n = 0;
    if (value.len == 0) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] < '0' || value.p[i] > '9') {
            return false;
        }
        /* Stops growing above the limit: the number may have any length. */
        n = n <= SASL_ITERATIONS_MAX ? n * 10 + (value.p[i] - '0') : n;
    }
    *out = n <= SASL_ITERATIONS_MAX ? (int)n : SASL_ITERATIONS_MAX + 1;
    return n > 0;
}

static enum status bad_question(struct error *error)
{
    return error_set(error, ST_PROTO, 0, _("The question of the server is not one of SCRAM."));
}

static enum status server_error(struct span value, struct error *error)
{
    char text[80];
    escape_copy(text, sizeof(text), value.p, value.len, 0);
    return error_set(error, ST_PROTO, 0, _("The server ended the login with the error %s."), text);
}

static enum status read_server_first(const struct sasl *s, struct span challenge,
                                     struct server_first *first, struct error *error)
{
    struct span salt, count, rest = challenge, value;
    if (take_attribute(&rest, 'e', &value)) {
        return server_error(value, error);
    }
    if (take_attribute(&rest, 'm', &value)) {
        return error_set(error, ST_PROTO, 0,
                         _("The server demands an extension of SCRAM that does not exist here."));
    }
    if (!take_attribute(&rest, 'r', &first->nonce) || !take_attribute(&rest, 's', &salt) ||
        !take_attribute(&rest, 'i', &count) || !read_iterations(count, &first->iterations)) {
        return bad_question(error);
    }
    if (!nonce_is_ours(s, first->nonce)) {
        return error_set(error, ST_PROTO, 0,
                         _("The server did not repeat our random value; its answer may be an old "
                           "one."));
    }
    if (first->iterations > SASL_ITERATIONS_MAX) {
        return error_set(error, ST_PROTO, 0,
                         _("The server asks for more than %d rounds of hashing."),
                         SASL_ITERATIONS_MAX);
    }
    enum status st = base64_decode(&first->salt, salt.p, salt.len);
    if (st == ST_NOMEM) {
        return st;
    }
    return st == ST_OK && first->salt.len > 0 ? ST_OK : bad_question(error);
}

static bool hmac(const EVP_MD *md, const uint8_t *key, const void *p, size_t len, uint8_t *out)
{
    unsigned int got = 0;
    int size = EVP_MD_get_size(md);
    return HMAC(md, key, size, p, len, out, &got) != NULL && got == (unsigned int)size;
}

/* RFC 5802 3. Fills the proof and remembers the signature that the server has to show. */
static bool compute(struct sasl *s, const struct server_first *first, const struct buf *message,
                    uint8_t *proof)
{
    const EVP_MD *md = hash_of(s);
    size_t size = (size_t)EVP_MD_get_size(md);
    uint8_t salted[SCRAM_HASH_MAX], key[SCRAM_HASH_MAX], stored[SCRAM_HASH_MAX];
    uint8_t signature[SCRAM_HASH_MAX];
    bool ok =
        PKCS5_PBKDF2_HMAC(s->password.p, (int)s->password.len, (const unsigned char *)first->salt.p,
                          (int)first->salt.len, first->iterations, md, (int)size, salted) == 1;
    ok = ok && hmac(md, salted, "Client Key", 10, key);
    ok = ok && EVP_Digest(key, size, stored, NULL, md, NULL) == 1;
    ok = ok && hmac(md, stored, message->p, message->len, signature);
    for (size_t i = 0; ok && i < size; i++) {
        proof[i] = key[i] ^ signature[i];
    }
    ok = ok && hmac(md, salted, "Server Key", 10, key);
    ok = ok && hmac(md, key, message->p, message->len, s->scram.server_signature);
    s->scram.signature_known = ok;
    secret_wipe(salted, sizeof(salted));
    secret_wipe(key, sizeof(key));
    secret_wipe(stored, sizeof(stored));
    secret_wipe(signature, sizeof(signature));
    return ok;
}

/* "c=<gs2 header and binding>,r=<nonces>" */
static enum status final_without_proof(const struct sasl *s, struct span nonce, struct buf *out)
{
    struct buf binding;
    buf_init(&binding, s->scram.gs2.max + sizeof(s->scram.binding));
    enum status st = buf_add(&binding, s->scram.gs2.p, s->scram.gs2.len);
    if (st == ST_OK) {
        st = buf_add(&binding, s->scram.binding, s->scram.binding_len);
    }
    if (st == ST_OK) {
        st = buf_add_str(out, "c=");
    }
    if (st == ST_OK) {
        st = base64_encode(out, binding.p, binding.len);
    }
    if (st == ST_OK) {
        st = buf_add_str(out, ",r=");
    }
    if (st == ST_OK) {
        st = buf_add(out, nonce.p, nonce.len);
    }
    buf_free(&binding);
    return st;
}

static enum status auth_message(const struct sasl *s, struct span challenge,
                                const struct buf *without_proof, struct buf *out)
{
    const struct buf *bare = &s->scram.first_bare;
    enum status st = buf_add(out, bare->p, bare->len);
    if (st == ST_OK) {
        st = buf_add_char(out, ',');
    }
    if (st == ST_OK) {
        st = buf_add(out, challenge.p, challenge.len);
    }
    if (st == ST_OK) {
        st = buf_add_char(out, ',');
    }
    return st == ST_OK ? buf_add(out, without_proof->p, without_proof->len) : st;
}

static enum status client_final(struct sasl *s, struct span challenge, struct buf *response,
                                struct error *error)
{
    struct server_first first = {.iterations = 0};
    struct buf message;
    uint8_t proof[SCRAM_HASH_MAX];
    buf_init(&first.salt, SALT_MAX);
    buf_init(&message, AUTH_MESSAGE_MAX);
    enum status st = read_server_first(s, challenge, &first, error);
    if (st == ST_OK) {
        st = final_without_proof(s, first.nonce, response);
    }
    if (st == ST_OK) {
        st = auth_message(s, challenge, response, &message);
    }
    if (st == ST_OK && !compute(s, &first, &message, proof)) {
        st = error_set(error, ST_PROTO, 0, _("The TLS library here cannot compute this login."));
    }
    if (st == ST_OK) {
        st = buf_add_str(response, ",p=");
    }
    if (st == ST_OK) {
        st = buf_add(&s->shown, response->p, response->len);
    }
    if (st == ST_OK) {
        st = buf_add_str(&s->shown, "<hidden>");
    }
    if (st == ST_OK) {
        st = base64_encode(response, proof, (size_t)EVP_MD_get_size(hash_of(s)));
    }
    secret_wipe(proof, sizeof(proof));
    buf_free(&first.salt);
    buf_free(&message);
    return st;
}

static enum status check_server_final(struct sasl *s, struct span challenge, struct error *error)
{
    struct span rest = challenge, value;
    struct buf raw;
    if (take_attribute(&rest, 'e', &value)) {
        return server_error(value, error);
    }
    if (!take_attribute(&rest, 'v', &value)) {
        return bad_question(error);
    }
    buf_init(&raw, SCRAM_HASH_MAX);
    size_t size = (size_t)EVP_MD_get_size(hash_of(s));
    enum status st = base64_decode(&raw, value.p, value.len);
    if (st != ST_NOMEM) {
        s->scram.verified = st == ST_OK && s->scram.signature_known && raw.len == size &&
                            CRYPTO_memcmp(raw.p, s->scram.server_signature, size) == 0;
        st = s->scram.verified
                 ? ST_OK
                 : error_set(error, ST_PROTO, SASL_UNPROVEN,
                             _("The proof of the server is wrong: it does not know the password."));
    }
    buf_wipe(&raw);
    return st;
}

enum status sasl_scram_step(struct sasl *s, struct span challenge, struct buf *response,
                            bool *secret_response, struct error *error)
{
    /* The proof lets a reader try passwords at leisure, so it is hidden like one. */
    *secret_response = s->step == 1;
    switch (s->step) {
    case 0:
        return client_first(s, response);
    case 1:
        return client_final(s, challenge, response, error);
    case 2:
        return check_server_final(s, challenge, error);
    default:
        return sasl_asked_too_much(error);
    }
}
