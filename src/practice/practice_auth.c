#include "practice_auth.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base64.h"

#define SCRAM_ITERATIONS 4096
#define AUTH_TEXT_MAX 65536
#define NONCE_BYTES 18

struct auth {
    const struct auth_mech *mech;
    const struct scenario_server *server;
    const char *host;
    struct practice_random *random;
    unsigned step;
    const struct scenario_user *user;
    struct buf name, first_bare, server_first, nonce, challenge, proof;
};

struct auth_mech {
    const char *name;
    bool client_first;
    const char *digest;
    enum auth_result (*step)(struct auth *a, struct span in, struct buf *out);
};

static bool span_is(struct span s, const char *text)
{
    return s.len == strlen(text) && CRYPTO_memcmp(s.p, text, s.len) == 0;
}

static const struct scenario_user *find_user(const struct auth *a, struct span name)
{
    for (size_t i = 0; i < a->server->user_count; i++) {
        if (span_is(name, a->server->users[i].name)) {
            return &a->server->users[i];
        }
    }
    return NULL;
}

static enum auth_result verdict(const struct auth *a, struct span name, struct span password)
{
    const struct scenario_user *u = find_user(a, name);
    return u != NULL && span_is(password, u->password) ? AUTH_ACCEPT : AUTH_REFUSE;
}

static bool fits(enum status st)
{
    return st == ST_OK;
}

/* authzid NUL authcid NUL password (RFC 4616). */
static enum auth_result plain_step(struct auth *a, struct span in, struct buf *out)
{
    (void)out;
    const char *first = memchr(in.p, '\0', in.len);
    size_t used = first != NULL ? (size_t)(first - in.p) + 1 : in.len;
    const char *second = first != NULL ? memchr(first + 1, '\0', in.len - used) : NULL;
    if (second == NULL) {
        return AUTH_MALFORMED;
    }
    struct span name = {first + 1, (size_t)(second - first - 1)};
    struct span password = {second + 1, in.len - (size_t)(second + 1 - in.p)};
    return verdict(a, name, password);
}

static enum auth_result login_step(struct auth *a, struct span in, struct buf *out)
{
    if (a->step == 0) {
        return fits(buf_add_str(out, "Username:")) ? AUTH_CHALLENGE : AUTH_REFUSE;
    }
    if (a->step == 1) {
        return fits(buf_add(&a->name, in.p, in.len)) && fits(buf_add_str(out, "Password:"))
                   ? AUTH_CHALLENGE
                   : AUTH_REFUSE;
    }
    return verdict(a, (struct span){buf_str(&a->name), a->name.len}, in);
}

static enum status add_hex(struct buf *out, const uint8_t *p, size_t len)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < len; i++) {
        st = buf_addf(out, "%02x", p[i]);
    }
    return st;
}

/* RFC 2195: the user's name, a blank, and the HMAC of the challenge in hexadecimal. */
static enum auth_result cram_step(struct auth *a, struct span in, struct buf *out)
{
    if (a->step == 0) {
        uint64_t v = practice_random_next(a->random);
        if (!fits(buf_addf(&a->challenge, "<%llu.%llu@%s>", (unsigned long long)(v >> 32),
                           (unsigned long long)(v & 0xffffffff), a->host)) ||
            !fits(buf_add(out, buf_str(&a->challenge), a->challenge.len))) {
            return AUTH_REFUSE;
        }
        return AUTH_CHALLENGE;
    }
    size_t at = in.len;
    while (at > 0 && in.p[at - 1] != ' ') {
        at--;
    }
    if (at == 0) {
        return AUTH_MALFORMED;
    }
    const struct scenario_user *u = find_user(a, (struct span){in.p, at - 1});
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (u == NULL ||
        HMAC(EVP_md5(), u->password, (int)strlen(u->password),
             (const uint8_t *)buf_str(&a->challenge), a->challenge.len, mac, &len) == NULL) {
        return AUTH_REFUSE;
    }
    buf_clear(&a->proof);
    struct span given = {in.p + at, in.len - at};
    return fits(add_hex(&a->proof, mac, len)) && span_is(given, buf_str(&a->proof)) ? AUTH_ACCEPT
                                                                                    : AUTH_REFUSE;
}

/* The value of "n=value" in a list separated by commas (RFC 5802 5.1). */
static bool scram_field(struct span text, char key, struct span *out)
{
    const char *p = text.p;
    const char *end = text.p + text.len;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma != NULL ? comma : end;
        if (stop - p >= 2 && p[0] == key && p[1] == '=') {
            out->p = p + 2;
            out->len = (size_t)(stop - p - 2);
            return true;
        }
        p = stop + 1;
    }
    return false;
}

/* "=2C" and "=3D" stand for comma and equals sign (RFC 5802 5.1). */
static enum status scram_name(struct span in, struct buf *out)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < in.len; i++) {
        if (in.p[i] == '=' && in.len - i >= 3) {
            st = buf_add_char(out, in.p[i + 1] == '2' ? ',' : '=');
            i += 2;
        } else {
            st = buf_add_char(out, in.p[i]);
        }
    }
    return st;
}

static enum auth_result scram_first(struct auth *a, struct span in, struct buf *out)
{
    struct span name, nonce;
    /* n or y, authzid, then the part that is signed. Channel binding is not offered. */
    const char *comma = in.len > 2 && (in.p[0] == 'n' || in.p[0] == 'y') && in.p[1] == ','
                            ? memchr(in.p + 2, ',', in.len - 2)
                            : NULL;
    if (comma == NULL) {
        return AUTH_MALFORMED;
    }
    struct span bare = {comma + 1, in.len - (size_t)(comma + 1 - in.p)};
    if (!scram_field(bare, 'n', &name) || !scram_field(bare, 'r', &nonce) || nonce.len == 0) {
        return AUTH_MALFORMED;
    }
    uint8_t random[NONCE_BYTES];
    uint8_t salt[NONCE_BYTES];
    practice_random_fill(a->random, random, sizeof(random));
    practice_random_fill(a->random, salt, sizeof(salt));
    if (!fits(scram_name(name, &a->name)) || !fits(buf_add(&a->first_bare, bare.p, bare.len)) ||
        !fits(buf_add(&a->nonce, nonce.p, nonce.len)) ||
        !fits(base64_encode(&a->nonce, random, sizeof(random))) ||
        !fits(buf_addf(&a->server_first, "r=%s,s=", buf_str(&a->nonce))) ||
        !fits(base64_encode(&a->server_first, salt, sizeof(salt))) ||
        !fits(buf_addf(&a->server_first, ",i=%d", SCRAM_ITERATIONS)) ||
        !fits(buf_add(out, buf_str(&a->server_first), a->server_first.len))) {
        return AUTH_REFUSE;
    }
    a->user = find_user(a, (struct span){buf_str(&a->name), a->name.len});
    return AUTH_CHALLENGE;
}

struct scram_keys {
    uint8_t client[EVP_MAX_MD_SIZE], stored[EVP_MAX_MD_SIZE], server[EVP_MAX_MD_SIZE];
    unsigned len;
};

static bool scram_keys(const struct auth *a, const EVP_MD *md, struct scram_keys *k)
{
    struct span salt64;
    struct buf salt;
    uint8_t salted[EVP_MAX_MD_SIZE];
    int size = EVP_MD_get_size(md);
    const char *password = a->user->password;
    struct span first = {buf_str(&a->server_first), a->server_first.len};
    buf_init(&salt, 64);
    bool ok = size > 0 && scram_field(first, 's', &salt64) &&
              fits(base64_decode(&salt, salt64.p, salt64.len)) &&
              PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const uint8_t *)buf_str(&salt),
                                (int)salt.len, SCRAM_ITERATIONS, md, size, salted) == 1 &&
              HMAC(md, salted, size, (const uint8_t *)"Client Key", 10, k->client, &k->len) &&
              HMAC(md, salted, size, (const uint8_t *)"Server Key", 10, k->server, &k->len) &&
              EVP_Digest(k->client, k->len, k->stored, &k->len, md, NULL) == 1;
    buf_free(&salt);
    OPENSSL_cleanse(salted, sizeof(salted));
    return ok;
}

/* RFC 5802 section 3: the proof, XORed with the client's signature, has to hash to StoredKey. */
static bool scram_check(const struct auth *a, const EVP_MD *md, struct span message,
                        const struct buf *proof, struct buf *out)
{
    struct scram_keys k;
    uint8_t signature[EVP_MAX_MD_SIZE];
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const uint8_t *text = (const uint8_t *)message.p;
    if (!scram_keys(a, md, &k) || proof->len != k.len ||
        HMAC(md, k.stored, (int)k.len, text, message.len, signature, &len) == NULL) {
        return false;
    }
    for (unsigned i = 0; i < k.len; i++) {
        signature[i] ^= (uint8_t)buf_str(proof)[i];
    }
    if (EVP_Digest(signature, k.len, hash, &len, md, NULL) != 1 ||
        CRYPTO_memcmp(hash, k.stored, k.len) != 0) {
        return false;
    }
    return HMAC(md, k.server, (int)k.len, text, message.len, signature, &len) != NULL &&
           fits(buf_add_str(out, "v=")) && fits(base64_encode(out, signature, len));
}

static enum auth_result scram_final(struct auth *a, struct span in, struct buf *out)
{
    struct span binding, nonce, proof64;
    if (!scram_field(in, 'c', &binding) || !scram_field(in, 'r', &nonce) ||
        !scram_field(in, 'p', &proof64)) {
        return AUTH_MALFORMED;
    }
    if (!span_is(nonce, buf_str(&a->nonce)) || a->user == NULL) {
        return AUTH_REFUSE;
    }
    struct buf proof;
    struct buf message;
    buf_init(&proof, 256);
    buf_init(&message, AUTH_TEXT_MAX);
    const EVP_MD *md = EVP_get_digestbyname(a->mech->digest);
    size_t without = (size_t)(proof64.p - 3 - in.p); /* up to ",p=" */
    bool good =
        md != NULL && fits(base64_decode(&proof, proof64.p, proof64.len)) &&
        fits(buf_addf(&message, "%s,%s,", buf_str(&a->first_bare), buf_str(&a->server_first))) &&
        fits(buf_add(&message, in.p, without)) &&
        scram_check(a, md, (struct span){buf_str(&message), message.len}, &proof, out);
    buf_free(&proof);
    buf_free(&message);
    return good ? AUTH_CHALLENGE : AUTH_REFUSE;
}

static enum auth_result scram_step(struct auth *a, struct span in, struct buf *out)
{
    switch (a->step) {
    case 0:
        return scram_first(a, in, out);
    case 1:
        return scram_final(a, in, out);
    default:
        /* The client has seen our signature and answers with nothing. */
        return in.len == 0 ? AUTH_ACCEPT : AUTH_MALFORMED;
    }
}

static bool find_text(struct span in, const char *what, const char *ends, struct span *out)
{
    const char *p = memmem(in.p, in.len, what, strlen(what));
    if (p == NULL) {
        return false;
    }
    p += strlen(what);
    const char *end = p;
    while (end < in.p + in.len && strchr(ends, *end) == NULL) {
        end++;
    }
    out->p = p;
    out->len = (size_t)(end - p);
    return true;
}

/* Refusals come as a challenge with JSON first, which the client answers with nothing (RFC
 * 7628 3.2.3). */
static enum auth_result bearer_step(struct auth *a, struct span in, struct buf *out)
{
    static const char refusal[] = "{\"status\":\"400\",\"schemes\":\"Bearer\","
                                  "\"scope\":\"https://mail.example.org/\"}";
    struct span name, token;
    if (a->step > 0) {
        return AUTH_REFUSE;
    }
    bool oauth2 = strcmp(a->mech->name, "XOAUTH2") == 0;
    if (!find_text(in, oauth2 ? "user=" : "a=", oauth2 ? "\001" : ",", &name) ||
        !find_text(in, "auth=Bearer ", "\001", &token)) {
        return AUTH_MALFORMED;
    }
    if (verdict(a, name, token) == AUTH_ACCEPT) {
        return AUTH_ACCEPT;
    }
    return fits(buf_add_str(out, refusal)) ? AUTH_CHALLENGE : AUTH_REFUSE;
}

static const struct auth_mech mechs[] = {
    {"PLAIN", true, NULL, plain_step},
    {"LOGIN", false, NULL, login_step},
    {"CRAM-MD5", false, NULL, cram_step},
    {"SCRAM-SHA-1", true, "SHA1", scram_step},
    {"SCRAM-SHA-256", true, "SHA256", scram_step},
    {"XOAUTH2", true, NULL, bearer_step},
    {"OAUTHBEARER", true, NULL, bearer_step},
};

bool auth_knows(const char *mech)
{
    for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
        if (str_equal_nocase(mech, mechs[i].name)) {
            return true;
        }
    }
    return false;
}

struct auth *auth_new(const char *mech, const struct scenario_server *server, const char *host,
                      struct practice_random *random)
{
    for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
        if (!str_equal_nocase(mech, mechs[i].name)) {
            continue;
        }
        struct auth *a = calloc(1, sizeof(*a));
        if (a == NULL) {
            return NULL;
        }
        a->mech = &mechs[i];
        a->server = server;
        a->host = host;
        a->random = random;
        struct buf *bufs[] = {&a->name,  &a->first_bare, &a->server_first,
                              &a->nonce, &a->challenge,  &a->proof};
        for (size_t k = 0; k < ARRAY_LEN(bufs); k++) {
            buf_init(bufs[k], AUTH_TEXT_MAX);
        }
        return a;
    }
    return NULL;
}

void auth_free(struct auth *a)
{
    if (a != NULL) {
        buf_wipe(&a->name);
        buf_wipe(&a->first_bare);
        buf_wipe(&a->server_first);
        buf_wipe(&a->nonce);
        buf_wipe(&a->challenge);
        buf_wipe(&a->proof);
        free(a);
    }
}

bool auth_client_first(const struct auth *a)
{
    return a->mech->client_first;
}

enum auth_result auth_step(struct auth *a, const char *p, size_t len, struct buf *challenge)
{
    /* The client did not use its right to an initial response: an empty challenge asks for it. A
       server that speaks first has its first word now. */
    if (p == NULL && a->mech->client_first) {
        return AUTH_CHALLENGE;
    }
    if (p != NULL && !a->mech->client_first && a->step == 0) {
        /* LOGIN takes a name along with AUTH, as many clients send it. */
        if (strcmp(a->mech->name, "LOGIN") != 0) {
            return AUTH_MALFORMED;
        }
        a->step = 1;
    }
    enum auth_result result = a->mech->step(a, (struct span){p != NULL ? p : "", len}, challenge);
    a->step++;
    return result;
}
