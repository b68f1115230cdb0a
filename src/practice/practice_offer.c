#include "practice_session.h"

#include <string.h>

/* What a Postfix offers. AUTH joins it where there are users, STARTTLS leaves it under TLS. */
static const char *const default_offers[] = {
    "PIPELINING", "SIZE 10240000", "STARTTLS", "ENHANCEDSTATUSCODES",
    "8BITMIME",   "DSN",           "SMTPUTF8", "CHUNKING",
};
static const char default_auth[] = "AUTH PLAIN LOGIN SCRAM-SHA-256";

bool session_begins(const char *text, const char *keyword, const char **rest)
{
    size_t n = strlen(keyword);
    char head[64];
    if (n >= sizeof(head) || strlen(text) < n) {
        return false;
    }
    memcpy(head, text, n);
    head[n] = '\0';
    if (!str_equal_nocase(head, keyword) || (text[n] != '\0' && text[n] != ' ')) {
        return false;
    }
    if (rest != NULL) {
        *rest = text + n + (text[n] == ' ' ? 1 : 0);
    }
    return true;
}

static bool is_withheld(const struct session *s, const char *offer)
{
    for (size_t i = 0; i < s->server->withheld.count; i++) {
        const char *word = s->server->withheld.p[i];
        if (strcmp(word, "all") == 0 || session_begins(offer, word, NULL)) {
            return true;
        }
    }
    return false;
}

const char *session_offer_at(const struct session *s, size_t i)
{
    const struct scenario_server *server = s->server;
    const char *text = "";
    if (server->offer_count > 0) {
        if (i >= server->offer_count) {
            return NULL;
        }
        const struct scenario_offer *o = &server->offers[i];
        bool now = o->when == OFFER_ALWAYS || (o->when == OFFER_TLS) == s->secured;
        text = now ? o->text : "";
    } else if (i < ARRAY_LEN(default_offers)) {
        text = default_offers[i];
    } else if (i == ARRAY_LEN(default_offers)) {
        text = server->user_count > 0 && s->secured ? default_auth : "";
    } else {
        return NULL;
    }
    return is_withheld(s, text) || (s->secured && session_begins(text, "STARTTLS", NULL)) ? ""
                                                                                          : text;
}

bool session_offers(const struct session *s, const char *keyword, const char **rest)
{
    const char *text;
    for (size_t i = 0; (text = session_offer_at(s, i)) != NULL; i++) {
        if (session_begins(text, keyword, rest)) {
            return true;
        }
    }
    return false;
}

void session_hello(struct session *s)
{
    const char *hello = s->server->hello != NULL ? s->server->hello : "{host}";
    struct buf line;
    if (*session_argument(s) == '\0') {
        session_reply(s, "501 Syntax: %s hostname",
                      session_is(s, "EHLO")   ? "EHLO"
                      : session_is(s, "LHLO") ? "LHLO"
                                              : "HELO");
        return;
    }
    session_set(&s->helo, session_argument(s), strlen(session_argument(s)));
    buf_init(&line, SESSION_LINE_MAX);
    bool extended = !session_is(s, "HELO");
    const char *text = NULL;
    size_t left = 0;
    for (size_t i = 0; extended && (text = session_offer_at(s, i)) != NULL; i++) {
        left += *text != '\0' ? 1 : 0;
    }
    bool ok = buf_addf(&line, "250%c%s", left > 0 ? '-' : ' ', hello) == ST_OK;
    if (ok) {
        session_text(s, buf_str(&line), true);
    }
    for (size_t i = 0; left > 0 && (text = session_offer_at(s, i)) != NULL; i++) {
        if (*text == '\0') {
            continue;
        }
        buf_clear(&line);
        left--;
        if (buf_addf(&line, "250%c%s", left > 0 ? '-' : ' ', text) == ST_OK) {
            session_text(s, buf_str(&line), true);
        }
    }
    buf_free(&line);
}
