#include "practice_session.h"

#include <string.h>

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/* "*" is any number of bytes, "?" one; letters in any case. Goes back to the last asterisk only. */
static bool glob(const char *pattern, const char *p, size_t len)
{
    const char *end = p + len;
    const char *star = NULL;
    const char *retry = p;
    while (p < end) {
        if (*pattern == '*') {
            star = pattern++;
            retry = p;
        } else if (*pattern != '\0' && (*pattern == '?' || upper(*pattern) == upper(*p))) {
            pattern++;
            p++;
        } else if (star != NULL) {
            pattern = star + 1;
            p = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

static enum rule_event rule_event_of(enum session_event event)
{
    switch (event) {
    case EVENT_CONNECT:
        return RULE_CONNECT;
    case EVENT_SECURED:
        return RULE_SECURED;
    case EVENT_LOGIN:
        return RULE_LOGIN;
    case EVENT_MESSAGE:
    case EVENT_MESSAGE_AT:
        return RULE_MESSAGE;
    case EVENT_IDLE:
        return RULE_IDLE;
    case EVENT_NONE:
    case EVENT_COMMAND:
        break;
    }
    return RULE_COMMAND;
}

static enum rule_state state_of(const struct session *s)
{
    if (s->recipients > 0) {
        return RULE_STATE_RCPT;
    }
    if (s->in_mail) {
        return RULE_STATE_MAIL;
    }
    return s->said_hello ? RULE_STATE_READY : RULE_STATE_START;
}

static bool holds(const struct session *s, const struct scenario_rule *r, enum session_event event)
{
    if (r->event != rule_event_of(event) || r->has_at != (event == EVENT_MESSAGE_AT) ||
        (r->only_clear && s->secured) || (r->only_tls && !s->secured) ||
        (r->only_early && !s->spoke_early) || (r->only_grouped && s->in.len == 0) ||
        (r->family != 0 && r->family != s->client.family) ||
        (r->state != RULE_STATE_ANY && r->state != state_of(s))) {
        return false;
    }
    if (r->has_over && s->text_octets <= r->over) {
        return false;
    }
    /* Once a message: with the octet that makes it as long as that. */
    uint64_t at = r->at > 0 ? r->at : 1;
    if (r->has_at && (s->text_before >= at || s->text_octets < at)) {
        return false;
    }
    if (event != EVENT_COMMAND || r->pattern == NULL) {
        return true;
    }
    return r->verb ? session_is(s, r->pattern)
                   : glob(r->pattern, buf_str(&s->command), s->command.len);
}

/* Counts, and looks at the conditions that depend on how often it has come; *n gets the count. */
static bool counts_hold(struct session *s, const struct scenario_rule *r, size_t index, uint64_t *n)
{
    struct rule_count *all = &s->counts[index];
    if (all->hits == 0) {
        all->first_us = s->w->now_us;
    }
    all->hits++;
    s->own_hits[index]++;
    *n = r->per_session ? s->own_hits[index] : all->hits;
    return !(r->counted_first && *n > r->first) && !(r->counted_after && *n <= r->after) &&
           !(r->has_within && s->w->now_us - all->first_us > r->within_us);
}

const struct scenario_rule *session_match(struct session *s, enum session_event event)
{
    const struct scenario_rule *found = NULL;
    s->n = 0;
    /* Rules count an event also when an earlier rule answers it: "first 1" and then "after 2" means
       what it says. */
    for (size_t i = 0; i < s->server->rule_count; i++) {
        const struct scenario_rule *r = &s->server->rules[i];
        uint64_t n = 0;
        if (event == EVENT_IDLE && s->w->now_us - s->quiet_since_us < r->idle_us) {
            continue;
        }
        if (holds(s, r, event) && counts_hold(s, r, i, &n) && found == NULL) {
            found = r;
            s->n = n;
        }
    }
    return found;
}

int64_t session_idle_us(const struct session *s)
{
    int64_t due = NO_DEADLINE;
    for (size_t i = 0; i < s->server->rule_count; i++) {
        const struct scenario_rule *r = &s->server->rules[i];
        if (r->event == RULE_IDLE && s->own_hits[i] == 0 && holds(s, r, EVENT_IDLE)) {
            due = deadline_earlier(due, s->quiet_since_us + r->idle_us);
        }
    }
    return due;
}

static bool do_repeat(struct session *s, const struct scenario_action *a, int64_t now_us)
{
    while (s->repeated < a->count) {
        /* A sender that does not wait for its receiver would fill the memory. */
        if (s->base.out.len >= s->base.room) {
            s->base.needs_room = true;
            return false;
        }
        s->repeated++;
        s->n = s->repeated;
        for (size_t i = 0; i < a->texts.count; i++) {
            session_text(s, a->texts.p[i], !a->raw);
        }
        if (a->time_us > 0 && s->repeated < a->count) {
            s->busy_until_us = now_us + a->time_us;
            return false;
        }
    }
    s->repeated = 0;
    return true;
}

bool session_step(struct session *s, int64_t now_us)
{
    const struct scenario_action *a = &s->rule->actions[s->action];
    if (a->kind == ACTION_REPEAT && !do_repeat(s, a, now_us)) {
        return false;
    }
    s->action++;
    switch (a->kind) {
    case ACTION_REPLY:
    case ACTION_SEND:
        for (size_t i = 0; i < a->texts.count; i++) {
            session_text(s, a->texts.p[i], a->kind == ACTION_REPLY);
        }
        break;
    case ACTION_WAIT:
        s->busy_until_us = now_us + a->time_us;
        return false;
    case ACTION_DRIP:
        s->drip_us = a->time_us;
        break;
    case ACTION_SPLIT:
        s->base.split = (size_t)a->count;
        break;
    case ACTION_TLS:
        s->start_tls = true;
        s->next_tls = a->tls;
        break;
    case ACTION_DEFAULT:
        session_default(s);
        break;
    case ACTION_STALL:
        s->silent = true;
        s->base.deaf = true;
        break;
    case ACTION_CLOSE:
        session_close(s);
        break;
    case ACTION_RESET:
        s->base.reset = true;
        break;
    case ACTION_REPEAT:
    case ACTION_IGNORE:
        break;
    }
    return true;
}
