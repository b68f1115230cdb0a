#include "auth.h"

#include <string.h>

#include "base64.h"
#include "smtp_impl.h"
#include "text.h"

/* RFC 5321 4.5.3.1.4, line end included; RFC 4954 4 lets an initial response go no further. */
#define COMMAND_LINE_MAX 512
#define RESPONSE_MAX (SASL_CHALLENGE_MAX + 4 * SECRET_MAX)

struct exchange {
    struct smtp *s;
    enum sasl_mech mech;
    struct sasl *sasl;
    struct reply *reply;
    struct error *error;
    struct buf response; /* decoded */
    struct buf text;     /* base64 */
    bool secret;
};

static enum status encode(struct exchange *x)
{
    buf_wipe(&x->text);
    return base64_encode(&x->text, buf_str(&x->response), x->response.len);
}

static enum status broken(struct exchange *x, enum status st)
{
    return error_set(x->error, st, 0, _("The login broke off: %s."), status_word(st));
}

/* Sends visible + text; text is hidden when it is secret. `note` says what it means. */
static enum status send_line(struct exchange *x, enum smtp_verb verb, const char *visible,
                             const char *note)
{
    struct buf line, shown;
    buf_init(&line, COMMAND_LINE_MAX + SMTP_SECRET_MAX);
    buf_init(&shown, COMMAND_LINE_MAX + SMTP_SECRET_MAX);
    enum status st = buf_add_str(&line, visible);
    if (st == ST_OK) {
        st = buf_add(&line, buf_str(&x->text), x->text.len);
    }
    if (st == ST_OK && x->secret) {
        st = buf_addf(&shown, "%s<hidden %zu bytes>", visible, x->text.len);
    } else if (st == ST_OK) {
        st = buf_add(&shown, buf_str(&line), line.len);
    }
    if (st == ST_OK && x->secret) {
        st = learn_response(x->s, buf_str(&x->text), x->text.len, false);
    }
    if (st == ST_OK) {
        struct outgoing out = {.verb = verb,
                               .wait = WAIT_AUTH,
                               .line = buf_str(&line),
                               .len = line.len,
                               .shown = buf_str(&shown),
                               .shown_len = shown.len,
                               .note = note,
                               .flags = x->secret ? LINE_REDACTED : 0u,
                               .keep_raw = true};
        st = smtp_exchange(x->s, &out, x->reply);
    }
    buf_wipe(&line);
    buf_free(&shown);
    return st == ST_OK ? ST_OK : broken(x, st);
}

/* RFC 4954 4: a lone "*" takes the exchange back; the answer to it should be 501. */
static enum status take_back(struct exchange *x)
{
    struct error kept = {.code = ST_OK};
    struct error *caller = x->error;
    if (caller != NULL) {
        kept = *caller;
    }
    buf_wipe(&x->text);
    x->secret = false;
    x->error = NULL;
    enum status st = send_line(x, VERB_AUTH_LINE, "*", NULL);
    x->error = caller;
    if (st != ST_OK) {
        return broken(x, st);
    }
    if (caller != NULL) {
        *caller = kept;
    }
    return ST_PROTO;
}

static enum status next_response(struct exchange *x, const char *challenge, size_t len)
{
    enum status st = sasl_step(x->sasl, challenge, len, &x->response, &x->secret, x->error);
    if (st == ST_OK) {
        st = encode(x);
        st = st == ST_OK ? ST_OK : broken(x, st);
    }
    return st;
}

/*
 * "AUTH MECH response" in one line where the mechanism begins and the line is short enough, with
 * "=" for an empty response; else "AUTH MECH" alone. *held: the response is still to be sent.
 */
static enum status begin(struct exchange *x, bool *held)
{
    char visible[64];
    *held = false;
    str_copy(visible, sizeof(visible), "AUTH ");
    str_copy(visible + 5, sizeof(visible) - 5, sasl_mech_name(x->mech));
    buf_wipe(&x->text);
    x->secret = false;
    if (!sasl_has_initial(x->sasl)) {
        return send_line(x, VERB_AUTH, visible, NULL);
    }
    enum status st = next_response(x, NULL, 0);
    if (st != ST_OK) {
        return st;
    }
    size_t used = strlen(visible);
    if (used + 1 + x->text.len + 2 > COMMAND_LINE_MAX) {
        struct buf kept = x->text;
        bool secret = x->secret;
        buf_init(&x->text, x->text.max);
        x->secret = false;
        st = send_line(x, VERB_AUTH, visible, NULL);
        buf_wipe(&x->text);
        x->text = kept;
        x->secret = secret;
        *held = true;
        return st;
    }
    if (x->text.len == 0 && buf_add_str(&x->text, "=") != ST_OK) {
        return broken(x, ST_NOMEM);
    }
    str_copy(visible + used, sizeof(visible) - used, " ");
    return send_line(x, VERB_AUTH, visible, sasl_shown(x->sasl));
}

/* What stands in the last line, decoded. ST_INVALID when it is no base64. */
static enum status challenge_of(const struct reply *reply, struct buf *out)
{
    if (reply->line_count == 0) {
        return ST_INVALID;
    }
    struct span text = reply_line_text(reply, reply->line_count - 1);
    bool cut = reply->lines[reply->line_count - 1].cut;
    while (text.len > 0 && text.p[text.len - 1] == ' ') {
        text.len--;
    }
    if (cut) {
        return ST_INVALID;
    }
    return text.len == 1 && text.p[0] == '=' ? ST_OK : base64_decode(out, text.p, text.len);
}

static enum status answer(struct exchange *x, bool *held)
{
    struct buf challenge;
    buf_init(&challenge, SASL_CHALLENGE_MAX);
    enum status st = challenge_of(x->reply, &challenge);
    if (st == ST_NOMEM) {
        st = broken(x, st);
    } else if (*held) {
        /* The question that only asks us to begin; what it says does not matter. */
        st = ST_OK;
    } else if (st != ST_OK) {
        st = error_set(x->error, ST_PROTO, 0, _("The question of the server is not valid base64."));
    } else {
        if (!sasl_mech_is_oauth(x->mech)) {
            note_challenge(x->s, x->reply);
        }
        st = next_response(x, buf_str(&challenge), challenge.len);
    }
    buf_wipe(&challenge);
    *held = false;
    if (st == ST_OK) {
        return send_line(x, VERB_AUTH_LINE, "", sasl_shown(x->sasl));
    }
    return st == ST_PROTO ? take_back(x) : st;
}

/* Some servers put the last message of SCRAM into the 235 itself. */
static void read_success(struct exchange *x)
{
    struct buf last;
    struct error unused;
    bool secret;
    buf_init(&last, SASL_CHALLENGE_MAX);
    const struct reply *r = x->reply;
    struct span text = {"", 0};
    if (r->line_count > 0) {
        text = reply_line_text(r, r->line_count - 1);
    }
    size_t begin = text.len;
    while (begin > 0 && text.p[begin - 1] != ' ') {
        begin--;
    }
    if (base64_decode(&last, text.p + begin, text.len - begin) == ST_OK && last.len > 2 &&
        memcmp(last.p, "v=", 2) == 0) {
        enum status st = sasl_step(x->sasl, last.p, last.len, &x->response, &secret, &unused);
        (void)st; /* sasl_finish tells */
    }
    buf_wipe(&last);
}

static enum status finish(struct exchange *x)
{
    if (x->reply->code != 235) {
        return ST_OK;
    }
    struct error none;
    if (sasl_finish(x->sasl, &none) != ST_OK) {
        read_success(x);
    }
    enum status st = sasl_finish(x->sasl, x->error);
    if (st != ST_OK) {
        x->s->authenticated = false;
    }
    return st;
}

static enum status run(struct exchange *x)
{
    bool held;
    enum status st = begin(x, &held);
    /* Bounded: sasl_step refuses after SASL_STEPS_MAX, and one step may have been held back. */
    while (st == ST_OK && x->reply->code == 334) {
        st = answer(x, &held);
    }
    return st == ST_OK ? finish(x) : st;
}

static void net_random_bytes(void *ctx, void *p, size_t len)
{
    net_random(ctx, p, len);
}

static bool offers_plus(const struct caps *caps)
{
    return caps_has_mech(caps, "SCRAM-SHA-1-PLUS") || caps_has_mech(caps, "SCRAM-SHA-256-PLUS");
}

static enum status check_state(const struct smtp *s, struct error *error)
{
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->state == SMTP_TEXT || s->state == SMTP_CONTINUATION) {
        return error_set(error, ST_INVALID, 0, _("A login has no place here."));
    }
    return ST_OK;
}

enum status auth_run(struct smtp *s, const struct sasl_params *params, struct reply *reply,
                     struct error *error)
{
    struct exchange x = {.s = s, .mech = params->mech, .reply = reply, .error = error};
    struct sasl_params own = *params;
    reply_reset(reply);
    enum status st = check_state(s, error);
    if (st != ST_OK) {
        return st;
    }
    own.plus_offered = own.plus_offered || offers_plus(&s->caps);
    if (own.tls == NULL && s->tls) {
        own.tls = &s->tls_facts;
    }
    if (own.random == NULL) {
        own.random = net_random_bytes;
        own.random_ctx = s->net;
    }
    buf_init(&x.response, RESPONSE_MAX);
    buf_init(&x.text, 2 * RESPONSE_MAX);
    st = sasl_start(&own, &x.sasl, error);
    if (st == ST_OK && own.password != NULL && secret_is_set(own.password)) {
        st = learn_secret(s, own.user, own.password->p, own.password->len);
        st = st == ST_OK ? ST_OK : broken(&x, st);
    }
    if (st == ST_OK) {
        st = run(&x);
    }
    if (x.sasl != NULL) {
        const char *json = sasl_oauth_error(x.sasl);
        if (json[0] != '\0') {
            wire_note(s, DIR_NOTE, _("The reason of the server: %s"), json);
        }
    }
    wire_redact(s, reply);
    sasl_free(x.sasl);
    buf_wipe(&x.response);
    buf_wipe(&x.text);
    return st;
}
