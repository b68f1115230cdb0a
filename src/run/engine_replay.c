#include <string.h>

#include "check_login.h"
#include "engine_internal.h"
#include "text.h"

/* How long raw bytes may take to be answered before the next step: nobody knows how many replies
   there will be. */
#define RAW_WAIT_MS 5000

static void tell_replay(struct engine *e, size_t step)
{
    const struct replay *r = &e->replay;
    struct event *event = engine_event(e, EVENT_REPLAY);
    if (event == NULL) {
        return;
    }
    const struct script *script = r->script;
    event->u.replay = (struct replay_progress){.state = r->state, .got = r->got};
    if (script != NULL) {
        const struct script_step *s = step < script->count ? &script->steps[step] : NULL;
        event->u.replay.step = (uint32_t)(s != NULL ? step + 1 : script->count);
        event->u.replay.count = (uint32_t)script->count;
        event->u.replay.source = s != NULL ? s->line : 0;
        event->u.replay.expected = s != NULL ? s->expect : 0;
    }
    engine_tell(e, event);
}

/* A saved conversation may have said QUIT and connected again. */
static bool connect_again(struct engine *e)
{
    struct error error = {.text = ""};
    enum status st = check_regreet(&e->c, &error);
    if (st != ST_OK && st != ST_CANCELLED) {
        engine_note(e, "%s", error.text[0] != '\0' ? error.text : status_word(st));
    }
    return st == ST_OK;
}

static bool was_quit(const struct engine *e)
{
    const struct replay *r = &e->replay;
    return r->next > 0 && r->script->steps[r->next - 1].verb == VERB_QUIT;
}

/* "AUTH PLAIN ..." of the script: by the login of the plan, where it holds one. */
static enum sasl_mech login_of(const struct engine *e, const struct script_step *step)
{
    char name[32] = "";
    if (step->verb != VERB_AUTH || !e->plan->auth_wanted) {
        return MECH_NONE;
    }
    const char *p = step->text + strcspn(step->text, " ");
    p += strspn(p, " ");
    size_t n = strcspn(p, " ");
    if (n < sizeof(name)) {
        memcpy(name, p, n);
        name[n] = '\0';
    }
    return sasl_mech_find(name);
}

static void play_login(struct engine *e, enum sasl_mech mech)
{
    struct reply reply;
    struct error error = {.text = ""};
    if (!login_is_allowed(&e->c, mech)) {
        engine_note(e, _("The login was not repeated: the connection is not encrypted, or the "
                         "server did not prove who it is."));
        e->replay.state = REPLAY_STOPPED;
        return;
    }
    reply_init(&reply);
    enum status st = login_run(&e->c, mech, &reply, &error);
    if (st == ST_PROTO) {
        engine_note(e, "%s", error.text);
    }
    bool answered = reply.line_count > 0 && (st == ST_OK || st == ST_PROTO);
    replay_logged_in(&e->replay, st, answered ? reply.code : 0);
    reply_free(&reply);
}

static void play_step(struct engine *e, const struct script_step *step)
{
    struct error error = {.text = ""};
    int code = 0;
    enum status st;
    enum sasl_mech mech = login_of(e, step);
    if (mech != MECH_NONE) {
        play_login(e, mech);
        return;
    }
    if (step->kind == SCRIPT_RAW) {
        st = smtp_raw(&e->c.smtp, step->text, step->len, 0, &error);
        if (st == ST_OK) {
            st = smtp_settle(&e->c.smtp, RAW_WAIT_MS, &code);
        }
        if (st != ST_OK && error.text[0] != '\0') {
            engine_note(e, "%s", error.text);
        }
    } else {
        st = engine_typed(e, step->text, step->len, step->data, step->data_len, &code);
    }
    replay_played(&e->replay, st, code);
}

/* A login that was hidden needs nobody to type it where the plan knows it. */
static bool can_play(const struct engine *e)
{
    const struct replay *r = &e->replay;
    return r->state == REPLAY_PLAYING ||
           (r->state == REPLAY_ASKING && login_of(e, replay_step(r)) != MECH_NONE);
}

/* One step. */
static void play_next(struct engine *e)
{
    struct replay *r = &e->replay;
    size_t at = r->next;
    tell_replay(e, at);
    if (e->c.smtp.state == SMTP_CLOSED && (!was_quit(e) || !connect_again(e))) {
        r->state = REPLAY_BROKEN;
    } else {
        play_step(e, replay_step(r));
    }
    engine_follow_session(e);
    engine_tell_session(e);
    bool stopped_at = r->state == REPLAY_UNEXPECTED || r->state == REPLAY_BROKEN ||
                      r->state == REPLAY_STOPPED || r->state == REPLAY_DONE;
    if (!can_play(e)) {
        tell_replay(e, stopped_at ? at : r->next);
    }
}

static void play(struct engine *e)
{
    struct replay *r = &e->replay;
    e->path = e->last_path;
    while (can_play(e) && !engine_interrupted(e)) {
        play_next(e);
    }
    if (r->state == REPLAY_PLAYING) {
        r->state = REPLAY_STOPPED;
        tell_replay(e, r->next);
    }
    engine_run_finish(e);
}

void engine_run_replay(struct engine *e, struct command *command)
{
    if (!engine_run_is_current(e, command)) {
        return;
    }
    struct smtp *s = &e->c.smtp;
    replay_load(&e->replay, command->script);
    command->script = NULL;
    e->path = e->last_path;
    if (command->plan != NULL) {
        engine_take_login(e, command->plan);
    }
    bool fresh = s->state == SMTP_GREETED && s->last_client_line == 0;
    if (!fresh) {
        smtp_quit(s);
    }
    if (!fresh && !connect_again(e)) {
        e->replay.state = engine_interrupted(e) ? REPLAY_STOPPED : REPLAY_BROKEN;
        tell_replay(e, 0);
        engine_run_finish(e);
        return;
    }
    if (e->replay.script->message_cut) {
        engine_note(e, _("The saved transcript does not hold the whole message; what is left of it "
                         "is sent."));
    }
    replay_go(&e->replay, command->one_step);
    if (command->one_step && e->replay.state == REPLAY_PLAYING) {
        e->replay.state = REPLAY_WAITING;
    }
    if (!can_play(e)) {
        tell_replay(e, e->replay.next);
    }
    play(e);
}

void engine_replay_continue(struct engine *e, const struct command *command)
{
    if (!engine_run_is_current(e, command)) {
        return;
    }
    if (e->replay.script == NULL) {
        engine_note(e, _("There is no script to go on with."));
        engine_run_finish(e);
        return;
    }
    replay_go(&e->replay, command->one_step);
    if (!can_play(e)) {
        tell_replay(e, e->replay.next);
    }
    play(e);
}

void engine_replay_end(struct engine *e)
{
    if (e->replay.script != NULL) {
        e->replay.state = REPLAY_STOPPED;
        tell_replay(e, e->replay.next);
    }
    replay_free(&e->replay);
}

/* What was hidden when it was saved stays hidden, whatever the server takes it for this time. */
static enum status hide_answer(struct engine *e, const struct command *command)
{
    const struct script_step *step = replay_step(&e->replay);
    size_t seen = script_hidden_at(step->text, step->len);
    bool behind = command->len >= seen && memcmp(command->text, step->text, seen) == 0;
    size_t from = behind ? seen : 0;
    return smtp_hide(&e->c.smtp, command->text + from, command->len - from);
}

bool engine_replay_answer(struct engine *e, const struct command *command)
{
    struct replay *r = &e->replay;
    if (r->state != REPLAY_ASKING || e->cancelled != CANCEL_NONE || !e->have_context ||
        e->c.smtp.state == SMTP_CLOSED) {
        return false;
    }
    size_t at = r->next;
    int code;
    e->path = e->last_path;
    if (hide_answer(e, command) != ST_OK) {
        engine_note(e, "%s", _("The line cannot be kept out of the transcript."));
        return true;
    }
    enum status st = engine_typed(e, command->text, command->len, NULL, 0, &code);
    replay_played(r, st, code);
    engine_follow_session(e);
    engine_tell_session(e);
    if (r->state != REPLAY_PLAYING) {
        tell_replay(e, r->state == REPLAY_UNEXPECTED || r->state == REPLAY_BROKEN ? at : r->next);
    }
    play(e);
    return true;
}
