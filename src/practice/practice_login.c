#include "practice_session.h"

#include <string.h>

#include "base64.h"

#define MECH_MAX 64
#define HIDDEN "<hidden>"

static void conclude(struct session *s, enum auth_result result, const struct buf *challenge)
{
    struct buf line;
    if (result == AUTH_ACCEPT || result == AUTH_REFUSE) {
        s->login_good = result == AUTH_ACCEPT;
        s->follow = EVENT_LOGIN;
        s->phase = PHASE_COMMANDS;
        return;
    }
    if (result == AUTH_MALFORMED) {
        s->phase = PHASE_COMMANDS;
        session_reply(s, "501 5.5.2 Cannot decode the authentication data");
        return;
    }
    buf_init(&line, 2 * SESSION_LINE_MAX);
    if (buf_add_str(&line, "334 ") == ST_OK &&
        base64_encode(&line, buf_str(challenge), challenge->len) == ST_OK) {
        session_reply(s, "%s", buf_str(&line));
    }
    buf_free(&line);
}

static void begin_auth(struct session *s, const char *mech, const char *initial)
{
    struct buf response;
    buf_init(&response, SESSION_LINE_MAX);
    auth_free(s->auth);
    s->auth = auth_new(mech, s->server, s->host, &s->w->server_random);
    if (s->auth == NULL) {
        session_reply(s, "504 5.5.4 Unrecognized authentication type");
        return;
    }
    struct buf challenge;
    buf_init(&challenge, SESSION_LINE_MAX);
    enum auth_result result;
    if (*initial == '\0') {
        result = auth_step(s->auth, NULL, 0, &challenge);
    } else if (strcmp(initial, "=") == 0) {
        result = auth_step(s->auth, "", 0, &challenge);
    } else if (base64_decode(&response, initial, strlen(initial)) == ST_OK) {
        result = auth_step(s->auth, buf_str(&response), response.len, &challenge);
    } else {
        result = AUTH_MALFORMED;
    }
    conclude(s, result, &challenge);
    buf_wipe(&response);
    buf_free(&challenge);
}

/* A word of a list separated by blanks, in any case. */
static bool word_in(const char *list, const char *word)
{
    size_t n = strlen(word);
    while (*list != '\0') {
        size_t m = strcspn(list, " ");
        char head[64];
        if (m == n && m < sizeof(head)) {
            memcpy(head, list, m);
            head[m] = '\0';
            if (str_equal_nocase(head, word)) {
                return true;
            }
        }
        list += m;
        list += strspn(list, " ");
    }
    return false;
}

/* The first word of p, as far as it fits. Returns its length. */
static size_t first_word(const char *p, char out[MECH_MAX])
{
    size_t n = strcspn(p, " ");
    str_copy(out, MECH_MAX, p);
    if (n < MECH_MAX) {
        out[n] = '\0';
    }
    return n;
}

void session_login(struct session *s)
{
    char mech[MECH_MAX];
    const char *p = session_argument(s);
    const char *offered = "";
    size_t n = first_word(p, mech);
    if (!s->said_hello || s->in_mail || s->logged_in) {
        session_reply(s, s->logged_in ? "503 5.5.1 Error: already authenticated"
                                      : "503 5.5.1 Error: send HELO/EHLO first");
    } else if (!session_offers(s, "AUTH", &offered)) {
        session_reply(s,
                      !s->secured && session_offers(s, "STARTTLS", NULL)
                          ? "538 5.7.11 Encryption required for requested authentication mechanism"
                          : "503 5.5.1 Error: authentication not enabled");
    } else if (n == 0) {
        session_reply(s, "501 5.5.4 Syntax: AUTH mechanism");
    } else if (!word_in(offered, mech)) {
        session_reply(s, "504 5.5.4 Unrecognized authentication type");
    } else {
        begin_auth(s, mech, p + n + strspn(p + n, " "));
    }
}

void session_response(struct session *s, const char *p, size_t len)
{
    struct buf response;
    struct buf challenge;
    enum auth_result result = AUTH_MALFORMED;
    if (len == 1 && p[0] == '*') {
        s->phase = PHASE_COMMANDS;
        session_reply(s, "501 5.7.0 Authentication aborted");
        return;
    }
    buf_init(&response, SESSION_LINE_MAX);
    buf_init(&challenge, SESSION_LINE_MAX);
    if (s->auth == NULL) {
        /* A rule asked, and a rule may judge; nobody knows whether it is right. */
        result = AUTH_REFUSE;
    } else if (base64_decode(&response, p, len) == ST_OK) {
        result = auth_step(s->auth, buf_str(&response), response.len, &challenge);
    }
    conclude(s, result, &challenge);
    buf_wipe(&response);
    buf_free(&challenge);
}

/* However it is spelt: a line that a server does not understand may hold a password all the same.
 */
static bool is_login(const struct session *s)
{
    const char *p = buf_str(&s->command);
    char head[5];
    str_copy(head, sizeof(head), p + strspn(p, " \t"));
    return str_equal_nocase(head, "AUTH");
}

void session_log_command(struct session *s)
{
    struct buf line;
    char mech[MECH_MAX];
    const char *offered = "";
    bool login = is_login(s);
    /* A client that does not wait for answers says name and password to a server that has refused
       to hear them: as commands. */
    bool secret = login || (s->login_seen && !session_knows_verb(s));
    s->login_seen = s->login_seen || login;
    if (!secret) {
        world_log(s->w, s->number, s->secured, buf_str(&s->command), s->command.len);
        return;
    }
    const char *p = session_argument(s);
    size_t n = first_word(p, mech);
    (void)session_offers(s, "AUTH", &offered);
    bool shown = session_is(s, "AUTH") && (auth_knows(mech) || word_in(offered, mech));
    buf_init(&line, 2 * MECH_MAX);
    enum status st = shown ? buf_addf(&line, "AUTH %s%s", mech, p[n] != '\0' ? " " HIDDEN : "")
                           : buf_add_str(&line, login ? "AUTH " HIDDEN : HIDDEN);
    if (st == ST_OK) {
        world_log(s->w, s->number, s->secured, buf_str(&line), line.len);
    }
    buf_free(&line);
}
