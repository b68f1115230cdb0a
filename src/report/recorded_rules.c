#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"

#define KEY_MAX 32
#define COLUMNS 100

/* One thing that happened, and what the server did. */
struct happening {
    char key[KEY_MAX]; /* "RCPT", "message at 1" */
    bool tls;
    char *actions; /* "default": what it does anyway */
};

struct happenings {
    struct happening *list;
    size_t count;
};

const struct talk_turn *recorded_next_turn(const struct recorded *x,
                                           const struct recorded_server *server, size_t *talk,
                                           size_t *turn)
{
    for (; *talk < x->talk_count; (*talk)++, *turn = 0) {
        const struct talk *t = &x->talks[*talk];
        bool mine = net_address_same_host(&t->dial->f.to, &server->address) &&
                    t->dial->f.to.port == server->address.port;
        if (mine && *turn < t->count) {
            return &t->turns[(*turn)++];
        }
    }
    return NULL;
}

static bool is_verb(const struct talk_turn *turn, const char *verb)
{
    return turn->event == TALK_COMMAND && strcmp(turn->verb, verb) == 0;
}

/* A login whose server did not follow the mechanism is acted out word by word. */
static bool login_is_broken(const struct recorded *x)
{
    return recorded_found(x, "smtp.auth.protocol") ||
           recorded_found(x, "smtp.auth.server_unproven");
}

/* The octets behind BDAT are taken whatever is said, unless it is not known (RFC 3030 2). */
static bool takes_chunk(const struct talk_turn *turn)
{
    return is_verb(turn, "BDAT") && turn->code != 500 && turn->code != 502 && turn->code != 0;
}

/* False: nothing that a rule could say. */
static bool key_of(const struct recorded *x, const struct talk_turn *turn, char key[KEY_MAX])
{
    switch (turn->event) {
    case TALK_CONNECT:
        return str_copy(key, KEY_MAX, "connect");
    case TALK_MESSAGE:
        return str_copy(key, KEY_MAX, "message");
    case TALK_TEXT:
        return str_copy(key, KEY_MAX, "message at 1");
    case TALK_LOGIN:
        /* Challenges are the mechanism's; only its end is the server's own. */
        return !login_is_broken(x) && turn->code != 334 && str_copy(key, KEY_MAX, "login");
    case TALK_COMMAND:
        break;
    }
    if (is_verb(turn, "AUTH") && !login_is_broken(x)) {
        return turn->code != 334 && str_copy(key, KEY_MAX, turn->initial ? "login" : "AUTH");
    }
    if (turn->last_chunk && takes_chunk(turn)) {
        return str_copy(key, KEY_MAX, "message");
    }
    return turn->verb[0] != '\0' && str_copy(key, KEY_MAX, turn->verb);
}

struct habit {
    const char *key, *actions;
};

/* What a server of the practice network says where no rule speaks. */
static const struct habit habits[] = {
    {"STARTTLS", "reply \"220 2.0.0 Ready to start TLS\""},
    {"MAIL", "reply \"250 2.1.0 Ok\""},
    {"DATA", "reply \"354 End data with <CR><LF>.<CR><LF>\""},
    {"RSET", "reply \"250 2.0.0 Ok\""},
    {"NOOP", "reply \"250 2.0.0 Ok\""},
    {"QUIT", "reply \"221 2.0.0 Bye\""},
    {"login", "reply \"235 2.7.0 Authentication successful\""},
    {"login", "reply \"535 5.7.8 Error: authentication failed\""},
    {"message", "reply \"250 2.0.0 Ok: queued as {id}\""},
};
static const char no_recipients[] = "reply \"554 5.5.1 Error: no valid recipients\"";

/* "220 mx1.example.org ESMTP Postfix" */
static bool is_usual_greeting(struct recorded *x, const struct recorded_server *server,
                              const char *actions)
{
    struct buf usual;
    buf_init(&usual, RECORDED_LINE_MAX);
    recorded_keep(x, buf_add_str(&usual, "reply \"220 "));
    recorded_keep(
        x, recorded_add_name(x, server->host->name != NULL ? server->host->name : ".", &usual));
    recorded_keep(x, buf_add_str(&usual, " ESMTP Postfix\""));
    bool same = strcmp(actions, buf_str(&usual)) == 0;
    buf_free(&usual);
    return same;
}

static bool is_habit(struct recorded *x, const struct recorded_server *server,
                     const struct recorded_offers *o, const struct talk_turn *turn, const char *key,
                     const char *actions)
{
    if (turn->event == TALK_CONNECT) {
        return is_usual_greeting(x, server, actions);
    }
    if (takes_chunk(turn) && !turn->last_chunk && turn->code == 250) {
        return true; /* it counts the octets, and no other run sends as many */
    }
    if (talk_is_hello(turn) && turn->code == 250 && strncmp(actions, "reply", 5) == 0 &&
        recorded_is_offered(x, o, turn)) {
        return true;
    }
    if (is_verb(turn, "DATA") && turn->no_recipient && strcmp(actions, no_recipients) == 0) {
        return true;
    }
    if (strcmp(key, "message") == 0 && recorded_speaks_lmtp(x, server)) {
        return false; /* one reply a recipient */
    }
    for (size_t i = 0; i < ARRAY_LEN(habits); i++) {
        if (strcmp(habits[i].key, key) == 0 && strcmp(habits[i].actions, actions) == 0) {
            return true;
        }
    }
    return false;
}

/* "wait 2s, " in front of what it does anyway. */
static size_t wait_len(const char *actions)
{
    const char *end = strncmp(actions, "wait ", 5) == 0 ? strstr(actions, ", ") : NULL;
    return end != NULL ? (size_t)(end - actions) + 2 : 0;
}

/* Takes e->actions. */
static enum status push(struct happenings *all, const struct happening *e)
{
    struct happening *grown =
        e->actions != NULL ? realloc(all->list, (all->count + 1) * sizeof(*grown)) : NULL;
    if (grown == NULL) {
        free(e->actions);
        return ST_NOMEM;
    }
    all->list = grown;
    all->list[all->count++] = *e;
    return ST_OK;
}

/* What happens at the end of a message is counted as a BDAT as well. */
static enum status count_last_chunk(const struct talk_turn *turn, struct happenings *all)
{
    struct happening e = {.key = "BDAT", .tls = turn->tls};
    if (!turn->last_chunk || !takes_chunk(turn) || all->count + 1 >= RECORDED_LIST_MAX) {
        return ST_OK;
    }
    e.actions = str_dup("default");
    return push(all, &e);
}

static enum status add_happening(struct recorded *x, const struct recorded_server *server,
                                 const struct recorded_offers *o, const struct talk_turn *turn,
                                 struct happenings *all)
{
    struct happening e = {.tls = turn->tls};
    struct buf actions;
    bool known = turn->first != 0 || turn->end != TALK_GOES_ON;
    if (!known || all->count == RECORDED_LIST_MAX || !key_of(x, turn, e.key)) {
        return ST_OK;
    }
    buf_init(&actions, RECORDED_LINE_MAX + 2048);
    enum status st = count_last_chunk(turn, all);
    if (st == ST_OK) {
        st = recorded_actions(x, server, turn, &actions);
    }
    if (st == ST_LIMIT) {
        buf_clear(&actions); /* bytes that grow so much when escaped are nothing to learn from */
        st = ST_OK;
    }
    if (st == ST_OK && actions.len > 0) {
        size_t wait = wait_len(buf_str(&actions));
        if (is_habit(x, server, o, turn, e.key, buf_str(&actions) + wait)) {
            actions.len = wait;
            st = buf_add_str(&actions, "default");
        }
        if (st == ST_OK) {
            e.actions = str_dup(buf_str(&actions));
            st = push(all, &e);
        }
    }
    buf_free(&actions);
    return st;
}

/* Of a text with its marks, or of a bare word. */
static size_t word_len(const char *p)
{
    size_t n = 1;
    if (*p != '"') {
        return strcspn(p, " ");
    }
    while (p[n] != '\0' && p[n] != '"') {
        n += p[n] == '\\' && p[n + 1] != '\0' ? 2 : 1;
    }
    return n + 1;
}

/* Long lines go on in the next behind a comma or a text. */
static void put_wrapped(struct recorded *x, const char *rule)
{
    size_t column = 0;
    bool quoted = false;
    recorded_put(x, "    ");
    for (const char *p = rule; *p != '\0' && x->st == ST_OK; p++) {
        if (*p == '\\' && p[1] != '\0') {
            recorded_put(x, "%.2s", p);
            p++;
            column += 2;
            continue;
        }
        quoted = *p == '"' ? !quoted : quoted;
        if (*p == ' ' && !quoted && column > 0 && column + word_len(p + 1) > COLUMNS) {
            recorded_put(x, " \\\n        ");
            column = 4;
        } else {
            recorded_put(x, "%c", *p);
            column++;
        }
    }
    recorded_put(x, "\n");
}

static void put_rule(struct recorded *x, const struct happening *h, const char *state, size_t first)
{
    struct buf rule;
    buf_init(&rule, RECORDED_LINE_MAX + 4096);
    recorded_keep(x, buf_addf(&rule, "on %s%s", h->key, state));
    if (first > 0) {
        recorded_keep(x, buf_addf(&rule, " first %zu", first));
    }
    recorded_keep(x, buf_addf(&rule, ": %s", h->actions));
    put_wrapped(x, buf_str(&rule));
    buf_free(&rule);
}

/* Both: in either security state. */
enum state { STATE_CLEAR, STATE_TLS, STATE_BOTH };

static bool is_in(const struct happening *h, const char *key, enum state state)
{
    return strcmp(h->key, key) == 0 && (state == STATE_BOTH || h->tls == (state == STATE_TLS));
}

/* How often it went in the same way, and then in another: "first 1", "first 3", and for ever. */
static void put_rules_of(struct recorded *x, const struct happenings *all, const char *key,
                         enum state state, const char *condition)
{
    const struct happening *run = NULL;
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct happening *e = &all->list[i];
        if (!is_in(e, key, state)) {
            continue;
        }
        if (run != NULL && strcmp(run->actions, e->actions) != 0) {
            put_rule(x, run, condition, count);
        }
        run = e;
        count++;
    }
    if (run != NULL && strcmp(run->actions, "default") != 0) {
        put_rule(x, run, condition, 0);
    }
}

static void put_rules_for(struct recorded *x, const struct happenings *all, const char *key)
{
    const struct happening *clear = NULL;
    const struct happening *tls = NULL;
    bool same = true;
    for (size_t i = 0; i < all->count; i++) {
        const struct happening *e = &all->list[i];
        if (strcmp(e->key, key) != 0) {
            continue;
        }
        clear = !e->tls && clear == NULL ? e : clear;
        tls = e->tls && tls == NULL ? e : tls;
        const struct happening *first = clear != NULL ? clear : tls;
        same = same && strcmp(first->actions, e->actions) == 0;
    }
    if (clear == NULL || tls == NULL || same) {
        put_rules_of(x, all, key, STATE_BOTH, "");
    } else {
        put_rules_of(x, all, key, STATE_CLEAR, " clear");
        put_rules_of(x, all, key, STATE_TLS, " tls");
    }
}

/* The greeting, where it is one line and always the same. True: no rule is needed. */
static bool put_banner(struct recorded *x, const struct happenings *all)
{
    static const char reply[] = "reply ";
    const struct happening *first = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct happening *h = &all->list[i];
        if (strcmp(h->key, "connect") != 0) {
            continue;
        }
        first = first != NULL ? first : h;
        if (strcmp(first->actions, h->actions) != 0) {
            return false;
        }
    }
    if (first == NULL || strncmp(first->actions, reply, sizeof(reply) - 1) != 0) {
        return false;
    }
    const char *text = first->actions + sizeof(reply) - 1;
    const char *end = text + 1;
    while (*end != '\0' && *end != '"') {
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    }
    if (strcmp(end, "\"") != 0) {
        return false;
    }
    recorded_put(x, "    banner %s\n", text);
    return true;
}

void recorded_put_rules(struct recorded *x, const struct recorded_server *server,
                        const struct recorded_offers *o)
{
    struct happenings all = {NULL, 0};
    const struct talk_turn *turn;
    size_t talk = 0, at = 0;
    while (x->st == ST_OK && (turn = recorded_next_turn(x, server, &talk, &at)) != NULL) {
        recorded_keep(x, add_happening(x, server, o, turn, &all));
    }
    bool greeted = put_banner(x, &all);
    recorded_put_offers(x, server, o);
    for (size_t i = 0; x->st == ST_OK && i < all.count; i++) {
        const char *key = all.list[i].key;
        bool done = greeted && strcmp(key, "connect") == 0;
        for (size_t k = 0; k < i; k++) {
            done = done || strcmp(all.list[k].key, key) == 0;
        }
        if (!done) {
            put_rules_for(x, &all, key);
        }
    }
    for (size_t i = 0; i < all.count; i++) {
        free(all.list[i].actions);
    }
    free(all.list);
}
