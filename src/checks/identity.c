#include "identity.h"

#include "check_tools.h"
#include "escape.h"
#include "text.h"
#include "xclient.h"

#define NAME_SHOWN 40

enum status identity_begin(struct check_context *c, struct error *error)
{
    struct buf header;
    c->smtp.lmtp = c->plan->lmtp;
    if (c->plan->proxy.version == 0) {
        return ST_OK;
    }
    buf_init(&header, PROXY_HEADER_V1_MAX + PROXY_HEADER_V2_MAX);
    enum status st = proxy_header_write(&c->plan->proxy, &c->smtp.conn->local, &c->smtp.conn->peer,
                                        &header, error);
    if (st == ST_OK) {
        check_note(c, _("Beginning with a header of the PROXY protocol, version %d"),
                   c->plan->proxy.version);
        st = smtp_send_first(&c->smtp, buf_str(&header), header.len, error);
    }
    buf_free(&header);
    return st;
}

bool identity_is_due(const struct check_context *c)
{
    return c->plan->xclient != NULL && !c->smtp.identified && c->smtp.state == SMTP_READY &&
           caps_has(&c->smtp.caps, CAP_XCLIENT);
}

static void note_not_offered(struct check_context *c, const struct buf *line)
{
    char shown[NAME_SHOWN];
    struct span name = xclient_not_offered((struct span){buf_str(line), line->len}, &c->smtp.caps);
    if (name.len > 0) {
        escape_copy(shown, sizeof(shown), name.p, name.len, 0);
        check_note(c, _("The server does not offer the attribute %s; it is sent all the same"),
                   shown);
    }
}

enum status identity_tell(struct check_context *c, struct reply *reply)
{
    struct buf line;
    struct error error = {.text = ""};
    buf_init(&line, 4 * XCLIENT_LINE_MAX);
    enum status st = xclient_line(c->plan->xclient, &line, &error);
    if (st == ST_OK) {
        note_not_offered(c, &line);
        st = smtp_command(&c->smtp, WAIT_BANNER, reply, "%s", buf_str(&line));
    }
    buf_free(&line);
    if (st != ST_OK) {
        return st;
    }
    if (reply->code / 100 != 2) {
        return ST_REFUSED;
    }
    st = smtp_ehlo(&c->smtp, c->ehlo_name, reply);
    return st == ST_OK && reply->code / 100 != 2 ? ST_REFUSED : st;
}

static bool tls_may_come(const struct check_context *c)
{
    return !c->smtp.tls && caps_has(&c->smtp.caps, CAP_STARTTLS) &&
           plan_tls_effective(c->plan) != PLAN_TLS_NONE;
}

static enum verdict report(struct check_context *c, const char *id, const struct reply *r)
{
    struct finding f;
    finding_init(&f, id);
    if (r != NULL) {
        check_add_reply(c, &f, r);
        f.class = CLASS_NONE;
    }
    finding_arg(&f, "attributes", c->plan->xclient);
    return check_report(c, &f);
}

enum verdict identity_judge(struct check_context *c)
{
    struct reply reply;
    enum verdict v = VERDICT_OK;
    if (c->plan->xclient == NULL || c->smtp.identified || c->smtp.state != SMTP_READY) {
        return VERDICT_OK;
    }
    if (!identity_is_due(c)) {
        return tls_may_come(c) ? VERDICT_OK : report(c, "smtp.ehlo.xclient_not_offered", NULL);
    }
    reply_init(&reply);
    enum status st = identity_tell(c, &reply);
    if (st == ST_REFUSED && check_shutdown(c, &reply, &v)) {
        /* reported */
    } else if (st == ST_REFUSED) {
        v = report(c, "smtp.ehlo.xclient_refused", &reply);
    } else if (st != ST_OK) {
        v = check_broken(c, st, WAIT_BANNER, &reply);
    } else {
        v = verdict_worse(check_oddities(c, &reply), report(c, "smtp.ehlo.xclient", &reply));
    }
    reply_free(&reply);
    return v;
}
