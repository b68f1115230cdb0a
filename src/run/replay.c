#include "replay.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

const char *replay_state_name(enum replay_state state)
{
    switch (state) {
    case REPLAY_PLAYING:
        return "playing";
    case REPLAY_WAITING:
        return "waiting";
    case REPLAY_ASKING:
        return "asking";
    case REPLAY_UNEXPECTED:
        return "unexpected";
    case REPLAY_BROKEN:
        return "broken";
    case REPLAY_STOPPED:
        return "stopped";
    case REPLAY_DONE:
        return "done";
    case REPLAY_IDLE:
        break;
    }
    return NULL;
}

void replay_sentence(const struct replay_progress *p, char *out, size_t size)
{
    unsigned step = p->step;
    unsigned count = p->count;
    out[0] = '\0';
    switch (p->state) {
    case REPLAY_IDLE:
        break;
    case REPLAY_PLAYING:
        snprintf(out, size, _("Script: step %u of %u (line %u)"), step, count, p->source);
        break;
    case REPLAY_WAITING:
        snprintf(out, size, _("Script: step %u of %u (line %u) is due."), step, count, p->source);
        break;
    case REPLAY_ASKING:
        snprintf(out, size,
                 _("Script: step %u of %u (line %u) was hidden when it was saved; it has to be "
                   "typed."),
                 step, count, p->source);
        break;
    case REPLAY_UNEXPECTED:
        if (p->expected != 0) {
            snprintf(out, size,
                     _("Script: stopped at step %u of %u (line %u): the reply was %d, and not %d."),
                     step, count, p->source, p->got, p->expected);
        } else {
            snprintf(out, size, _("Script: stopped at step %u of %u (line %u): the reply was %d."),
                     step, count, p->source, p->got);
        }
        break;
    case REPLAY_BROKEN:
        snprintf(out, size,
                 _("Script: stopped at step %u of %u (line %u): there is no connection."), step,
                 count, p->source);
        break;
    case REPLAY_STOPPED:
        snprintf(out, size, _("Script: stopped before step %u of %u (line %u)."), step, count,
                 p->source);
        break;
    case REPLAY_DONE:
        snprintf(out, size,
                 Q_("Script: the one step was played, and answered as expected.",
                    "Script: all %u steps were played, and answered as expected.", count),
                 count);
        break;
    }
}

void replay_init(struct replay *r)
{
    memset(r, 0, sizeof(*r));
    r->state = REPLAY_IDLE;
}

void replay_free(struct replay *r)
{
    script_free(r->script);
    replay_init(r);
}

void replay_load(struct replay *r, struct script *script)
{
    replay_free(r);
    r->script = script;
    r->state = REPLAY_WAITING;
}

const struct script_step *replay_step(const struct replay *r)
{
    return r->script != NULL && r->next < r->script->count ? &r->script->steps[r->next] : NULL;
}

bool replay_expected(const struct script_step *step, int code)
{
    int digit = code / 100;
    int wanted = step->expect;
    if (wanted == 0) {
        return digit == 2 || digit == 3;
    }
    while (wanted >= 10) {
        wanted /= 10;
    }
    return digit == wanted;
}

static bool is_text(const struct script_step *step)
{
    return step->kind == SCRIPT_TEXT || step->kind == SCRIPT_DOT;
}

/* The step that is due next, and whether it may begin at once. */
static void arrive(struct replay *r)
{
    const struct script_step *step = replay_step(r);
    while (r->skip_text && step != NULL && is_text(step)) {
        r->next++;
        step = replay_step(r);
    }
    r->skip_text = false;
    if (step == NULL) {
        r->state = REPLAY_DONE;
    } else if (step->kind == SCRIPT_HIDDEN) {
        r->state = REPLAY_ASKING;
    } else {
        r->state = r->step_by_step ? REPLAY_WAITING : REPLAY_PLAYING;
    }
}

/* Lines of a message and raw bytes get no reply that could be judged one by one. */
static bool is_answered(const struct script_step *step, int code)
{
    return step->kind != SCRIPT_TEXT && (step->kind != SCRIPT_RAW || code != 0);
}

static void played(struct replay *r, size_t next, enum status status, int code)
{
    const struct script_step *step = replay_step(r);
    r->got = code;
    if (step == NULL) {
        return;
    }
    bool as_expected = !is_answered(step, code) || replay_expected(step, code);
    r->skip_text = step->verb == VERB_DATA && code / 100 != 3;
    r->next = next;
    if (status != ST_OK && code == 0) {
        r->state = status == ST_CANCELLED ? REPLAY_STOPPED : REPLAY_BROKEN;
    } else if (!as_expected) {
        r->state = REPLAY_UNEXPECTED;
    } else {
        arrive(r);
    }
}

void replay_played(struct replay *r, enum status status, int code)
{
    played(r, r->next + 1, status, code);
}

void replay_logged_in(struct replay *r, enum status status, int code)
{
    size_t next = r->next + 1;
    int expect = r->script->steps[r->next].expect;
    while (next < r->script->count && r->script->steps[next].verb == VERB_AUTH_LINE) {
        expect = r->script->steps[next].expect;
        next++;
    }
    /* What the whole login ended in then, and not its first question. */
    r->script->steps[r->next].expect = expect / 100 == 3 ? 2 : expect;
    played(r, next, status, code);
}

void replay_go(struct replay *r, bool step_by_step)
{
    if (r->script == NULL) {
        return;
    }
    r->step_by_step = step_by_step;
    arrive(r);
    /* Asked to go on, it goes at least one step. */
    r->state = r->state == REPLAY_WAITING ? REPLAY_PLAYING : r->state;
}
