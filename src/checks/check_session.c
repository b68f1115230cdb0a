#include "check_session.h"

#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "ehlo_name.h"
#include "escape.h"
#include "identity.h"
#include "text.h"

/* A server that does not say yes here has refused; its own words are the best explanation. */
static enum status refused_by(const struct reply *reply, struct error *error)
{
    char shown[160];
    struct span line = {"", 0};
    if (reply->line_count > 0) {
        line = reply_line_whole(reply, 0);
    }
    escape_copy(shown, sizeof(shown), line.p, line.len, 0);
    return error_set(error, ST_REFUSED, 0, "%s", shown);
}

static enum status lost(enum status st, struct error *error)
{
    return error_set(error, st, 0, _("The connection could not be opened again: %s."),
                     status_word(st));
}

static void tell_dial(struct check_context *c, const struct net_address *to, enum status status,
                      int sys, const struct net_conn *conn, int64_t start)
{
    struct dial_facts f = {
        .to = *to, .status = status, .sys = sys, .elapsed_us = net_now_us(c->net) - start};
    struct net_address source;
    if (status == ST_OK) {
        f.local = conn->local;
    } else {
        f.no_route = c->net->ops->source_for(c->net, to, &source) != ST_OK;
    }
    c->sink->dial(c->sink->ctx, &f);
}

enum status session_dial(struct check_context *c, const struct net_address *to, int limit_ms,
                         struct net_conn **out, int *sys)
{
    struct net_address from = c->plan->source;
    from.port = 0;
    bool bound = from.family == to->family;
    int64_t start = net_now_us(c->net);
    c->sink->wait(c->sink->ctx, WAIT_CONNECT, limit_ms);
    enum status st = net_dial(c->net, to, bound ? &from : NULL,
                              deadline_in_ms(net_now_us(c->net), limit_ms), c->cancel, out, sys);
    c->sink->wait(c->sink->ctx, WAIT_NONE, 0);
    if (st != ST_CANCELLED && st != ST_NOMEM) {
        tell_dial(c, to, st, *sys, *out, start);
    }
    return st;
}

static enum status connect_again(struct check_context *c, struct error *error)
{
    char where[NET_ADDRESS_TEXT + 8];
    struct net_conn *conn = NULL;
    int sys = 0;
    smtp_close(&c->smtp, ST_OK);
    if (c->facts.address.family == 0) {
        return error_set(error, ST_INVALID, 0, _("There is no server to connect to."));
    }
    net_address_format_port(&c->facts.address, where, sizeof(where));
    check_note(c, _("Connecting to %s again"), where);
    enum status st = session_dial(c, &c->facts.address, c->plan->limits.connect, &conn, &sys);
    if (st != ST_OK) {
        return st == ST_CANCELLED ? st : lost(st, error);
    }
    smtp_attach(&c->smtp, conn);
    return identity_begin(c, error);
}

static enum status greet(struct check_context *c, struct reply *reply, struct error *error)
{
    if (strcmp(c->facts.mode, "implicit") == 0 && !c->smtp.tls) {
        struct tls_config config;
        check_tls_config(c, &config);
        enum status st = smtp_tls_now(&c->smtp, &config, error);
        if (st != ST_OK) {
            return st;
        }
    }
    enum status st = smtp_greeting(&c->smtp, reply);
    if (st != ST_OK) {
        return st == ST_CANCELLED ? st : lost(st, error);
    }
    return reply->code / 100 == 2 ? ST_OK : refused_by(reply, error);
}

/* A server that does not believe who we are may be talked to all the same. */
static enum status identify(struct check_context *c)
{
    struct reply reply;
    reply_init(&reply);
    enum status st = identity_tell(c, &reply);
    if (st == ST_REFUSED && c->smtp.state == SMTP_READY) {
        check_note(c, _("XCLIENT was refused; going on without it"));
        st = ST_OK;
    }
    reply_free(&reply);
    return st;
}

static enum status say_hello(struct check_context *c, struct reply *reply)
{
    c->typed_helo = false;
    enum status st = smtp_ehlo(&c->smtp, c->ehlo_name, reply);
    if (st == ST_OK && reply->code / 100 == 5 && !c->smtp.lmtp) {
        st = smtp_helo(&c->smtp, c->ehlo_name, reply);
    }
    return st == ST_OK && identity_is_due(c) ? identify(c) : st;
}

static enum status hello(struct check_context *c, struct reply *reply, struct error *error)
{
    enum status st = ST_OK;
    if (c->ehlo_name[0] == '\0') {
        /* The step that chooses it was never reached. */
        st = ehlo_name_choose(c);
    }
    if (st == ST_OK) {
        st = say_hello(c, reply);
    }
    if (st != ST_OK) {
        return st == ST_CANCELLED ? st : lost(st, error);
    }
    return reply->code / 100 == 2 ? ST_OK : refused_by(reply, error);
}

static enum status encrypt(struct check_context *c, struct reply *reply, struct error *error)
{
    struct tls_config config;
    struct buf injected;
    check_tls_config(c, &config);
    buf_init(&injected, REPLY_TEXT_MAX);
    enum status st = smtp_starttls(&c->smtp, &config, reply, &injected, error);
    buf_free(&injected);
    if (st != ST_OK) {
        return st;
    }
    return reply->code == 220 ? hello(c, reply, error) : refused_by(reply, error);
}

/* What the path had when it was judged, and nothing that it did not have. */
static bool had_starttls(const struct check_context *c)
{
    return strcmp(c->facts.mode, "starttls") == 0 && c->facts.tls != NULL && c->facts.tls->done;
}

enum status session_open(struct check_context *c, enum session_level level, struct error *error)
{
    struct reply reply;
    error->text[0] = '\0';
    enum status st = connect_again(c, error);
    if (st != ST_OK || level == SESSION_CONNECTED) {
        return st;
    }
    reply_init(&reply);
    st = greet(c, &reply, error);
    if (st == ST_OK && level >= SESSION_CLEAR) {
        st = hello(c, &reply, error);
    }
    if (st == ST_OK && level >= SESSION_READY && had_starttls(c)) {
        st = encrypt(c, &reply, error);
    }
    if (st != ST_OK && st != ST_CANCELLED) {
        smtp_close(&c->smtp, st);
    }
    reply_free(&reply);
    return st;
}

enum status session_ready(struct check_context *c, struct error *error)
{
    struct reply reply;
    enum status st = ST_OK;
    error->text[0] = '\0';
    /* A server that hung up while nobody talked is noticed here, and not by the next command. */
    if (c->smtp.state != SMTP_CLOSED) {
        st = smtp_listen(&c->smtp);
        if (st == ST_CANCELLED || st == ST_NOMEM) {
            return st;
        }
    }
    reply_init(&reply);
    switch (smtp_is_fit(&c->smtp) ? c->smtp.state : SMTP_CLOSED) {
    case SMTP_READY:
        st = c->typed_helo ? hello(c, &reply, error) : ST_OK;
        break;
    case SMTP_CONNECTED:
        st = greet(c, &reply, error);
        if (st == ST_OK) {
            st = hello(c, &reply, error);
        }
        break;
    case SMTP_GREETED:
        st = hello(c, &reply, error);
        break;
    case SMTP_MAIL:
    case SMTP_RCPT:
        st = smtp_command(&c->smtp, WAIT_OTHER, &reply, "RSET");
        if (st == ST_OK && reply.code / 100 != 2) {
            st = refused_by(&reply, error);
        }
        break;
    case SMTP_CLOSED:
    case SMTP_TEXT:
    case SMTP_CONTINUATION:
        st = session_open(c, SESSION_READY, error);
        break;
    }
    reply_free(&reply);
    return st;
}
