#include "practice_session.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MAX (UINT64_C(1) << 32)

bool session_is(const struct session *s, const char *verb)
{
    const char *p = buf_str(&s->command);
    size_t n = strlen(verb);
    char head[64];
    if (n >= sizeof(head) || s->command.len < n) {
        return false;
    }
    memcpy(head, p, n);
    head[n] = '\0';
    return str_equal_nocase(head, verb) && (p[n] == '\0' || p[n] == ' ' || p[n] == ':');
}

void session_reset_mail(struct session *s)
{
    s->in_mail = false;
    s->recipients = 0;
    s->text_octets = 0;
    buf_clear(&s->sender);
}

void session_set(struct buf *field, const char *p, size_t len)
{
    buf_clear(field);
    if (buf_add(field, p, len) != ST_OK) {
        buf_clear(field);
    }
}

const char *session_argument(const struct session *s)
{
    const char *p = buf_str(&s->command);
    p += strcspn(p, " ");
    return p + strspn(p, " ");
}

static void do_data(struct session *s)
{
    if (!s->in_mail || s->recipients == 0) {
        session_reply(s, s->in_mail ? "554 5.5.1 Error: no valid recipients"
                                    : "503 5.5.1 Error: need RCPT command");
    } else {
        session_reply(s, "354 End data with <CR><LF>.<CR><LF>");
    }
}

/* BDAT (RFC 3030): the octets follow whatever we say, so that they are always taken. */
static void do_bdat(struct session *s)
{
    char *end = NULL;
    unsigned long long n = strtoull(session_argument(s), &end, 10);
    if (!session_offers(s, "CHUNKING", NULL)) {
        session_reply(s, "502 5.5.1 Error: command not implemented");
    } else if (end == session_argument(s) || n > CHUNK_MAX) {
        session_reply(s, "501 5.5.4 Syntax: BDAT count [LAST]");
    } else {
        s->chunk_left = n;
        s->chunk_last = session_begins(end + strspn(end, " "), "LAST", NULL);
        s->chunk_answered = false;
        s->phase = PHASE_CHUNK;
    }
}

/* A rule has answered: who knows the command takes its octets all the same, and says no more. */
static void bdat_effect(struct session *s)
{
    char *end = NULL;
    unsigned long long n = strtoull(session_argument(s), &end, 10);
    bool known = s->code > 0 && s->code != 500 && s->code != 501 && s->code != 502;
    if (known && s->phase == PHASE_COMMANDS && end != session_argument(s) && n <= CHUNK_MAX) {
        s->chunk_left = n;
        s->chunk_last = session_begins(end + strspn(end, " "), "LAST", NULL);
        s->chunk_answered = true;
        s->phase = PHASE_CHUNK;
    }
}

static void do_starttls(struct session *s)
{
    if (*session_argument(s) != '\0') {
        session_reply(s, "501 5.5.4 Syntax: STARTTLS");
    } else if (s->secured) {
        session_reply(s, "554 5.5.1 Error: TLS already active");
    } else if (!session_offers(s, "STARTTLS", NULL)) {
        session_reply(s, "502 5.5.1 Error: command not implemented");
    } else {
        session_reply(s, "220 2.0.0 Ready to start TLS");
    }
}

static void do_rset(struct session *s)
{
    session_reply(s, "250 2.0.0 Ok");
}

static void do_vrfy(struct session *s)
{
    session_reply(s, "252 2.0.0 %s", *session_argument(s) != '\0' ? session_argument(s) : "-");
}

static void do_help(struct session *s)
{
    session_reply(s, "214 2.0.0 See https://www.rfc-editor.org/rfc/rfc5321");
}

static void do_expn(struct session *s)
{
    session_reply(s, "502 5.5.1 Error: command not implemented");
}

static void do_quit(struct session *s)
{
    session_reply(s, "221 2.0.0 Bye");
}

/* RFC 2033 4.1: LHLO for LMTP, and nothing else. */
static void do_hello(struct session *s)
{
    if (s->server->lmtp != session_is(s, "LHLO")) {
        session_reply(s, s->server->lmtp ? "500 5.5.1 This is LMTP: send LHLO"
                                         : "500 5.5.2 Error: command not recognized");
        return;
    }
    session_hello(s);
}

struct verb {
    const char *word;
    void (*answer)(struct session *s);
};

static const struct verb verbs[] = {
    {"EHLO", do_hello},      {"HELO", do_hello},        {"LHLO", do_hello},
    {"MAIL", session_mail},  {"RCPT", session_rcpt},    {"DATA", do_data},
    {"BDAT", do_bdat},       {"RSET", do_rset},         {"NOOP", do_rset},
    {"VRFY", do_vrfy},       {"EXPN", do_expn},         {"HELP", do_help},
    {"QUIT", do_quit},       {"AUTH", session_login},   {"STARTTLS", do_starttls},
    {"XCLIENT", session_xclient},
};

bool session_knows_verb(const struct session *s)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (session_is(s, verbs[i].word)) {
            return true;
        }
    }
    return false;
}

static void default_command(struct session *s)
{
    if (s->turned_away && !session_is(s, "QUIT")) {
        session_reply(s, "503 5.5.0 Error: access denied");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (session_is(s, verbs[i].word)) {
            verbs[i].answer(s);
            return;
        }
    }
    session_reply(s, "500 5.5.2 Error: command not recognized");
}

static void default_message(struct session *s)
{
    const char *limit_text = "";
    bool limited = session_offers(s, "SIZE", &limit_text);
    unsigned long long limit = limited ? strtoull(limit_text, NULL, 10) : 0;
    if (limit > 0 && s->text_octets > limit) {
        session_reply(s, "552 5.3.4 Error: message file too big");
    } else if (s->server->lmtp) {
        /* RFC 2033 4.2: one reply for each recipient that was accepted. */
        for (unsigned i = 0; i < s->recipients; i++) {
            session_reply(s, "250 2.0.0 %s Saved", s->queue_id);
        }
    } else {
        session_reply(s, "250 2.0.0 Ok: queued as %s", s->queue_id);
    }
}

void session_default(struct session *s)
{
    switch (s->event) {
    case EVENT_CONNECT:
        session_text(
            s, s->server->banner != NULL ? s->server->banner : "220 {host} ESMTP {software}", true);
        break;
    case EVENT_COMMAND:
        default_command(s);
        break;
    case EVENT_LOGIN:
        session_reply(s, s->login_good ? "235 2.7.0 Authentication successful"
                                       : "535 5.7.8 Error: authentication failed");
        break;
    case EVENT_MESSAGE:
        default_message(s);
        break;
    case EVENT_NONE:
    case EVENT_SECURED:
    case EVENT_MESSAGE_AT:
    case EVENT_IDLE:
        break;
    }
}

static void hello_effect(struct session *s)
{
    session_reset_mail(s);
    s->said_hello = true;
    s->extended = session_is(s, "EHLO") || session_is(s, "LHLO");
    session_set(&s->helo, session_argument(s), strlen(session_argument(s)));
}

static void command_effect(struct session *s)
{
    bool good = s->code >= 200 && s->code < 300;
    bool hello = session_is(s, "EHLO") || session_is(s, "HELO") || session_is(s, "LHLO");
    if (s->code == 250 && hello) {
        hello_effect(s);
    } else if (good && session_is(s, "MAIL")) {
        s->in_mail = true;
        session_set(&s->sender, buf_str(&s->address), s->address.len);
    } else if (good && session_is(s, "RCPT")) {
        s->recipients++;
    } else if (s->code == 354 && session_is(s, "DATA")) {
        s->phase = PHASE_TEXT;
        s->text_state = TEXT_LINE_START;
        s->text_octets = 0;
    } else if (good && session_is(s, "RSET")) {
        session_reset_mail(s);
    } else if (s->code == 221 && session_is(s, "QUIT")) {
        session_close(s);
    } else if (s->code == 220 && session_is(s, "STARTTLS") && !s->secured && !s->start_tls) {
        s->start_tls = true;
        s->next_tls = s->server->tls;
    } else if (s->code == 334 && session_is(s, "AUTH")) {
        s->phase = PHASE_LOGIN;
    } else if (session_is(s, "BDAT")) {
        bdat_effect(s);
    } else if (s->code == 220 && session_is(s, "XCLIENT")) {
        session_xclient_effect(s);
    } else if (s->code == 235 && session_is(s, "AUTH")) {
        s->logged_in = true;
    }
}

void session_effect(struct session *s)
{
    if (s->code == 421 || s->code == 521) {
        session_close(s);
        return;
    }
    switch (s->event) {
    case EVENT_CONNECT:
        s->turned_away = s->code >= 400;
        break;
    case EVENT_COMMAND:
        command_effect(s);
        break;
    case EVENT_LOGIN:
        s->logged_in = s->code == 235;
        break;
    case EVENT_MESSAGE:
        session_reset_mail(s);
        break;
    case EVENT_NONE:
    case EVENT_SECURED:
    case EVENT_MESSAGE_AT:
    case EVENT_IDLE:
        break;
    }
}
