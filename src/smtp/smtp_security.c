#include "smtp.h"

#include <string.h>

#include "escape.h"
#include "smtp_impl.h"
#include "text.h"

/* Injected text is told up to here; the caller gets the bytes themselves. */
#define INJECTED_LINES_MAX 64

static void tell_success(struct smtp *s)
{
    const struct tls_facts *f = &s->tls_facts;
    if (f->verified) {
        wire_note(s, DIR_TLS, _("Encrypted with %s, %s; the certificate is good for %s."),
                  f->version, f->cipher, f->name);
    } else {
        wire_note(s, DIR_TLS, _("Encrypted with %s, %s; the certificate is not trusted (%s)."),
                  f->version, f->cipher, tls_reason_word(f->reason));
    }
}

enum status smtp_secure(struct smtp *s, const struct tls_config *config, struct error *error)
{
    struct net_conn *layer = NULL;
    struct error own = {.code = ST_OK};
    int limit = s->limits.tls;
    if (s->tap.wait != NULL) {
        s->tap.wait(s->tap.ctx, WAIT_TLS, limit);
    }
    enum status st = tls_client(s->net, s->conn, config, deadline_in_ms(net_now_us(s->net), limit),
                                s->cancel, &layer, &s->tls_facts, &own);
    if (s->tap.wait != NULL) {
        s->tap.wait(s->tap.ctx, WAIT_NONE, 0);
    }
    if (st == ST_OK) {
        s->conn = layer;
        s->tls = true;
        tell_success(s);
        return ST_OK;
    }
    if (error != NULL) {
        *error = own;
    }
    wire_note(s, DIR_TLS, _("No encryption: %s"), own.text[0] != '\0' ? own.text : status_word(st));
    smtp_close(s, st);
    return st;
}

enum status smtp_tls_now(struct smtp *s, const struct tls_config *config, struct error *error)
{
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->tls) {
        return error_set(error, ST_INVALID, 0, _("The connection is encrypted already."));
    }
    return smtp_secure(s, config, error);
}

/*
 * Bytes behind the 220 came in clear, so anybody on the way may have put them there, to be read as
 * replies from inside the encrypted channel.
 */
static enum status report_injection(struct smtp *s, struct buf *injected, struct error *error)
{
    struct span in = wire_in(s);
    size_t len = in.len;
    if (injected != NULL) {
        size_t room = injected->max - injected->len;
        enum status st = buf_add(injected, in.p, len < room ? len : room);
        if (st != ST_OK) {
            return wire_fail(s, st, WAIT_NONE);
        }
    }
    size_t at = 0;
    for (int lines = 0; at < len && lines < INJECTED_LINES_MAX; lines++) {
        const char *p = in.p + at;
        const char *lf = memchr(p, '\n', len - at);
        size_t n = lf != NULL ? (size_t)(lf - p) + 1 : len - at;
        size_t shown = lf != NULL ? n - 1 : n;
        shown -= shown > 0 && p[shown - 1] == '\r' ? 1 : 0;
        size_t kept = shown < REPLY_LINE_KEPT ? shown : REPLY_LINE_KEPT;
        wire_tell(s, DIR_SERVER, LINE_ODD | LINE_PROBLEM | (kept < shown ? LINE_CUT : 0u), p, kept);
        at += n;
    }
    wire_note(s, DIR_NOTE,
              Q_("%zu byte came in clear behind the answer to STARTTLS. Encryption was not begun.",
                 "%zu bytes came in clear behind the answer to STARTTLS. Encryption was not begun.",
                 len),
              len);
    smtp_close(s, ST_PROTO);
    return error_set(error, ST_PROTO, 0,
                     Q_("%zu byte came in clear behind the answer to STARTTLS.",
                        "%zu bytes came in clear behind the answer to STARTTLS.", len),
                     len);
}

enum status smtp_after_starttls(struct smtp *s, const struct tls_config *config,
                                const struct reply *reply, struct buf *injected,
                                struct error *error)
{
    if (reply->code != 220) {
        return ST_OK;
    }
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0,
                         _("The server closed the connection instead of starting encryption."));
    }
    enum status st = wire_poll_all(s);
    if (wire_in(s).len > 0) {
        return report_injection(s, injected, error);
    }
    if (st != ST_AGAIN) {
        return error_set(error, wire_fail(s, st, WAIT_TLS), 0,
                         _("The server closed the connection instead of starting encryption."));
    }
    st = smtp_secure(s, config, error);
    if (st == ST_OK) {
        /* RFC 3207 4.2: nothing that was learnt in clear counts any more. */
        s->caps_clear = s->caps;
        caps_clear(&s->caps);
        s->state = SMTP_GREETED;
        s->authenticated = false;
    }
    return st;
}

enum status smtp_starttls(struct smtp *s, const struct tls_config *config, struct reply *reply,
                          struct buf *injected, struct error *error)
{
    struct outgoing out = {
        .verb = VERB_STARTTLS, .wait = WAIT_STARTTLS, .line = "STARTTLS", .len = 8};
    reply_reset(reply);
    if (s->tls || s->state == SMTP_TEXT || s->state == SMTP_CONTINUATION) {
        return error_set(error, ST_INVALID, 0, _("STARTTLS has no place here."));
    }
    enum status st = smtp_exchange(s, &out, reply);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("There is no answer to STARTTLS: %s."), status_word(st));
    }
    return smtp_after_starttls(s, config, reply, injected, error);
}
