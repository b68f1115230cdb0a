#include "scenario_rule.h"

#include <string.h>

#include "text.h"

/* Repeats, sizes and counts of one rule. */
#define RULE_COUNT_MAX 1000000000

struct event_word {
    const char *word;
    enum rule_event event;
};

static const struct event_word event_words[] = {
    {"connect", RULE_CONNECT}, {"secured", RULE_SECURED}, {"login", RULE_LOGIN},
    {"message", RULE_MESSAGE}, {"idle", RULE_IDLE},       {"anything", RULE_COMMAND},
};

static const char *const tls_kind_names[TLS_KIND_COUNT] = {
#define X(id, name) name,
    TLS_KIND_LIST(X)
#undef X
};

enum status tls_kind_read(struct scenario_reader *r, enum tls_kind *out)
{
    for (int i = 0; i < TLS_KIND_COUNT; i++) {
        if (reader_accept(r, tls_kind_names[i])) {
            *out = (enum tls_kind)i;
            return ST_OK;
        }
    }
    char found[80];
    return reader_fail(r,
                       _("expected a kind of TLS such as good, expired, wrong-name, self-signed, "
                         "incomplete-chain or stall, found %s"),
                       reader_found(r, found, sizeof(found)));
}

static bool is_verb(const char *word)
{
    return word[0] != '\0' && word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == '\0';
}

static enum status read_event(struct scenario_reader *r, struct scenario_rule *rule)
{
    const struct scenario_word *w = reader_peek(r);
    for (size_t i = 0; w != NULL && !w->quoted && i < ARRAY_LEN(event_words); i++) {
        if (strcmp(w->p, event_words[i].word) == 0) {
            r->word_next++;
            rule->event = event_words[i].event;
            return rule->event == RULE_IDLE ? reader_time(r, false, &rule->idle_us) : ST_OK;
        }
    }
    if (w == NULL || (!w->quoted && !is_verb(w->p))) {
        char found[80];
        return reader_fail(r,
                           _("expected connect, secured, login, message, idle, anything, a verb in "
                             "capitals or a pattern in quotation marks, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    rule->event = RULE_COMMAND;
    rule->verb = !w->quoted;
    return reader_word(r, &rule->pattern);
}

static enum status read_state(struct scenario_reader *r, enum rule_state *out)
{
    static const char *const names[] = {"", "start", "ready", "mail", "rcpt"};
    for (int i = RULE_STATE_START; i <= RULE_STATE_RCPT; i++) {
        if (reader_accept(r, names[i])) {
            *out = (enum rule_state)i;
            return ST_OK;
        }
    }
    char found[80];
    return reader_fail(r, _("expected start, ready, mail or rcpt, found %s"),
                       reader_found(r, found, sizeof(found)));
}

static enum status read_condition(struct scenario_reader *r, struct scenario_rule *rule)
{
    if (reader_accept(r, "first")) {
        rule->counted_first = true;
        return reader_number(r, RULE_COUNT_MAX, &rule->first);
    }
    if (reader_accept(r, "after")) {
        rule->counted_after = true;
        return reader_number(r, RULE_COUNT_MAX, &rule->after);
    }
    if (reader_accept(r, "within")) {
        rule->has_within = true;
        return reader_time(r, false, &rule->within_us);
    }
    if (rule->event == RULE_MESSAGE && reader_accept(r, "over")) {
        rule->has_over = true;
        return reader_number(r, RULE_COUNT_MAX, &rule->over);
    }
    if (rule->event == RULE_MESSAGE && reader_accept(r, "at")) {
        rule->has_at = true;
        return reader_number(r, RULE_COUNT_MAX, &rule->at);
    }
    if (reader_accept(r, "state")) {
        return read_state(r, &rule->state);
    }
    if (reader_accept(r, "session")) {
        rule->per_session = true;
    } else if (reader_accept(r, "clear")) {
        rule->only_clear = true;
    } else if (reader_accept(r, "tls")) {
        rule->only_tls = true;
    } else if (reader_accept(r, "early")) {
        rule->only_early = true;
    } else if (reader_accept(r, "grouped")) {
        rule->only_grouped = true;
    } else if (reader_accept(r, "ipv4")) {
        rule->family = 4;
    } else if (reader_accept(r, "ipv6")) {
        rule->family = 6;
    } else {
        char found[80];
        reader_found(r, found, sizeof(found));
        return rule->event == RULE_MESSAGE
                   ? reader_fail(
                         r,
                         _("expected a colon, or first, after, within, session, clear, tls, "
                           "early, grouped, ipv4, ipv6, state, over or at, found %s"),
                         found)
                   : reader_fail(
                         r,
                         _("expected a colon, or first, after, within, session, clear, tls, "
                           "early, grouped, ipv4, ipv6 or state, found %s"),
                         found);
    }
    return ST_OK;
}

/* Texts up to the comma; at least one. */
static enum status read_action_texts(struct scenario_reader *r, struct scenario_strings *out)
{
    const struct scenario_word *w;
    do {
        char *text = NULL;
        enum status st = reader_text(r, &text);
        st = st == ST_OK ? strings_add(r, out, text) : st;
        if (st != ST_OK) {
            return st;
        }
        w = reader_peek(r);
    } while (w != NULL && (w->quoted || strcmp(w->p, ",") != 0));
    return ST_OK;
}

static enum status read_repeat(struct scenario_reader *r, struct scenario_action *a)
{
    enum status st = reader_number(r, RULE_COUNT_MAX, &a->count);
    if (st == ST_OK && reader_accept(r, "every")) {
        st = reader_time(r, false, &a->time_us);
    }
    a->raw = reader_accept(r, "send");
    return st == ST_OK ? read_action_texts(r, &a->texts) : st;
}

struct action_word {
    const char *word;
    enum action_kind kind;
};

static const struct action_word action_words[] = {
    {"reply", ACTION_REPLY}, {"send", ACTION_SEND},       {"repeat", ACTION_REPEAT},
    {"wait", ACTION_WAIT},   {"drip", ACTION_DRIP},       {"split", ACTION_SPLIT},
    {"tls", ACTION_TLS},     {"default", ACTION_DEFAULT}, {"ignore", ACTION_IGNORE},
    {"stall", ACTION_STALL}, {"close", ACTION_CLOSE},     {"reset", ACTION_RESET},
};

static enum status read_action(struct scenario_reader *r, struct scenario_action *a)
{
    size_t i = 0;
    while (i < ARRAY_LEN(action_words) && !reader_accept(r, action_words[i].word)) {
        i++;
    }
    if (i == ARRAY_LEN(action_words)) {
        char found[80];
        return reader_fail(r,
                           _("expected reply, send, repeat, wait, drip, split, tls, default, "
                             "ignore, stall, close or reset, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    a->kind = action_words[i].kind;
    switch (a->kind) {
    case ACTION_REPLY:
    case ACTION_SEND:
        return read_action_texts(r, &a->texts);
    case ACTION_REPEAT:
        return read_repeat(r, a);
    case ACTION_WAIT:
    case ACTION_DRIP:
        return reader_time(r, false, &a->time_us);
    case ACTION_SPLIT:
        return reader_number(r, RULE_COUNT_MAX, &a->count);
    case ACTION_TLS:
        return tls_kind_read(r, &a->tls);
    case ACTION_DEFAULT:
    case ACTION_IGNORE:
    case ACTION_STALL:
    case ACTION_CLOSE:
    case ACTION_RESET:
        break;
    }
    return ST_OK;
}

enum status rule_read(struct scenario_reader *r, struct scenario_server *server)
{
    struct scenario_rule *grown = list_grow(server->rules, server->rule_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(r);
    }
    server->rules = grown;
    struct scenario_rule *rule = &grown[server->rule_count++];
    enum status st = read_event(r, rule);
    while (st == ST_OK && !reader_accept(r, ":")) {
        st = read_condition(r, rule);
    }
    while (st == ST_OK) {
        struct scenario_action *more = list_grow(rule->actions, rule->action_count, sizeof(*more));
        if (more == NULL) {
            return reader_no_memory(r);
        }
        rule->actions = more;
        st = read_action(r, &more[rule->action_count++]);
        if (st == ST_OK && !reader_accept(r, ",")) {
            char found[80];
            return reader_peek(r) == NULL
                       ? ST_OK
                       : reader_fail(r, _("expected a comma between actions, found %s"),
                                     reader_found(r, found, sizeof(found)));
        }
    }
    return st;
}
