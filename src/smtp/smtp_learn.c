#include "smtp_impl.h"

#include <string.h>

#include "base64.h"
#include "escape.h"
#include "sasl.h"
#include "text.h"

/* What redactor_add may need at most for one secret. */
#define FORMS_MAX 16
/* What is shorter is a slip of the finger or padding; hiding it would blank ordinary text. */
#define RESPONSE_MIN 4
/* Of the decoded form of a challenge, in a note. */
#define NOTE_MAX 1024

/*
 * A session may see more logins than the redactor has room for. The oldest go first: a server that
 * echoes a secret does so at once.
 */
static void make_room(struct redactor *r)
{
    if (r->count + FORMS_MAX <= REDACT_MAX_NEEDLES) {
        return;
    }
    size_t drop = r->count + FORMS_MAX - REDACT_MAX_NEEDLES;
    for (size_t i = 0; i < drop; i++) {
        secret_free(&r->needle[i]);
    }
    memmove(&r->needle[0], &r->needle[drop], (r->count - drop) * sizeof(r->needle[0]));
    r->count -= drop;
}

enum status learn_bytes(struct smtp *s, const char *p, size_t len)
{
    make_room(&s->learned);
    return redactor_add_bytes(&s->learned, p, len);
}

enum status smtp_hide(struct smtp *s, const char *p, size_t len)
{
    return len > 0 ? learn_bytes(s, p, len) : ST_OK;
}

enum status learn_secret(struct smtp *s, const char *user, const char *p, size_t len)
{
    struct secret secret = {.p = NULL};
    if (len > SECRET_MAX) {
        return learn_bytes(s, p, len);
    }
    make_room(&s->learned);
    enum status st = secret_set(&secret, p, len);
    if (st == ST_OK) {
        st = redactor_add(&s->learned, user, &secret);
    }
    secret_free(&secret);
    return st;
}

static struct span last_piece(const char *p, size_t len, char separator)
{
    size_t begin = len;
    while (begin > 0 && p[begin - 1] != separator) {
        begin--;
    }
    struct span s = {p + begin, len - begin};
    return s;
}

/* RFC 4616: what stands behind the last NUL is the password. */
static enum status learn_plain(struct smtp *s, const struct buf *decoded)
{
    struct span password = last_piece(decoded->p, decoded->len, '\0');
    char user[SASL_NAME_MAX + 1];
    size_t rest = decoded->len - password.len - 1;
    struct span name = last_piece(decoded->p, rest, '\0');
    bool fits = name.len < sizeof(user);
    if (fits) {
        memcpy(user, name.p, name.len);
        user[name.len] = '\0';
    }
    return learn_secret(s, fits ? user : NULL, password.p, password.len);
}

/* "auth=Bearer <token>\1\1" of XOAUTH2 and OAUTHBEARER. */
static enum status learn_token(struct smtp *s, const struct buf *decoded)
{
    static const char bearer[] = "Bearer ";
    const char *p = memmem(decoded->p, decoded->len, bearer, sizeof(bearer) - 1);
    if (p == NULL) {
        return ST_OK;
    }
    p += sizeof(bearer) - 1;
    size_t left = decoded->len - (size_t)(p - decoded->p);
    const char *end = memchr(p, '\001', left);
    return learn_secret(s, NULL, p, end != NULL ? (size_t)(end - p) : left);
}

static bool is_text(const char *p, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        size_t n = utf8_decode(p + i, len - i, &code);
        bool control = n > 0 && (code < 0x20 || (code >= 0x7f && code < 0xa0));
        if (n == 0 || (control && code != '\t' && code != '\n' && code != '\r')) {
            return false;
        }
        i += n;
    }
    return len > 0;
}

static enum status learn_decoded(struct smtp *s, const struct buf *decoded)
{
    /* The digest of CRAM-MD5 stands behind a space, the proof of SCRAM behind "p=". */
    struct span digest = last_piece(decoded->p, decoded->len, ' ');
    struct span proof = last_piece(decoded->p, decoded->len, ',');
    enum status st = learn_bytes(s, decoded->p, decoded->len);
    if (st != ST_OK) {
        return st;
    }
    if (memchr(decoded->p, '\0', decoded->len) != NULL) {
        return learn_plain(s, decoded);
    }
    if (memchr(decoded->p, '\001', decoded->len) != NULL) {
        return learn_token(s, decoded);
    }
    if (digest.len == 32 && digest.len < decoded->len) {
        return learn_bytes(s, digest.p, digest.len);
    }
    if (proof.len > 2 && proof.len < decoded->len && memcmp(proof.p, "p=", 2) == 0) {
        return learn_bytes(s, proof.p + 2, proof.len - 2);
    }
    return learn_secret(s, NULL, decoded->p, decoded->len);
}

/* Many a password is valid base64 by chance; then it decodes to rubbish. */
static bool looks_encoded(const struct buf *decoded)
{
    bool joined = memchr(decoded->p, '\0', decoded->len) != NULL ||
                  memchr(decoded->p, '\001', decoded->len) != NULL;
    return joined || is_text(decoded->p, decoded->len);
}

enum status learn_response(struct smtp *s, const char *p, size_t len, bool user_name)
{
    struct buf decoded;
    if (len < RESPONSE_MIN) {
        return ST_OK;
    }
    buf_init(&decoded, SMTP_RAW_MAX);
    enum status st = learn_bytes(s, p, len);
    enum status how = st == ST_OK ? base64_decode(&decoded, p, len) : st;
    if (how == ST_INVALID) {
        /* Somebody forgot to encode it; then it is the secret itself. */
        st = learn_secret(s, NULL, p, len);
    } else if (how == ST_OK && decoded.len > 0 && !user_name) {
        st = looks_encoded(&decoded) ? ST_OK : learn_secret(s, NULL, p, len);
        st = st == ST_OK ? learn_decoded(s, &decoded) : st;
    } else {
        st = how;
    }
    buf_wipe(&decoded);
    return st;
}

/* By custom "Username:", "User Name" or the like; by some servers nothing at all. */
static bool names_user(const char *p, size_t len)
{
    for (size_t i = 0; i + 4 <= len; i++) {
        struct span word = {p + i, 4};
        if (span_equal_nocase(word, "user")) {
            return true;
        }
    }
    return len == 0;
}

bool note_challenge(struct smtp *s, const struct reply *reply)
{
    struct buf decoded;
    bool user = false;
    if (reply->code != 334 || reply->line_count == 0) {
        return false;
    }
    struct span text = reply_line_text(reply, reply->line_count - 1);
    buf_init(&decoded, NOTE_MAX);
    if (base64_decode(&decoded, text.p, text.len) == ST_OK) {
        const char *p = buf_str(&decoded);
        user = names_user(p, decoded.len);
        if (is_text(p, decoded.len) && strncmp(p, "v=", 2) != 0) {
            wire_note(s, DIR_NOTE, _("The server asks: %s"), p);
        }
    }
    buf_wipe(&decoded);
    return user;
}
