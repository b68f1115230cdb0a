#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "text.h"

#define COMMANDS_MAX_BYTES ((size_t)1 << 20)
/* The polite end of engine_free: a QUIT over a slow line, but nobody wants to wait longer. */
#define END_WAIT_MS 3000

static struct command *command_of(struct queue_item *item)
{
    return (struct command *)(void *)item;
}

void command_free(struct command *c)
{
    if (c == NULL || c->kind == COMMAND_END) {
        return; /* that one is part of struct engine */
    }
    if (c->plan != NULL) {
        plan_free(c->plan);
        free(c->plan);
    }
    event_free(c->done);
    if (c->text != NULL) {
        secret_wipe(c->text, c->len);
    }
    script_free(c->script);
    free(c);
}

static void command_free_item(struct queue_item *item)
{
    command_free(command_of(item));
}

struct command *command_new(enum command_kind kind, size_t text_len)
{
    struct command *c = calloc(1, sizeof(*c) + text_len);
    if (c != NULL) {
        c->item.bytes = sizeof(*c) + text_len;
        c->kind = kind;
    }
    return c;
}

struct command *command_new_job(enum command_kind kind, uint32_t run, const struct plan *plan)
{
    struct command *c = command_new(kind, 0);
    if (c == NULL) {
        return NULL;
    }
    c->run = run;
    c->done = event_new(EVENT_RUN_DONE, run, 0, CHECK_NONE, 0);
    if (c->done == NULL) {
        goto fail;
    }
    if (plan != NULL) {
        c->plan = calloc(1, sizeof(*c->plan));
        if (c->plan == NULL) {
            goto fail;
        }
        plan_init(c->plan);
        if (plan_copy(c->plan, plan) != ST_OK) {
            goto fail;
        }
        c->item.bytes += sizeof(*c->plan);
    }
    return c;
fail:
    command_free(c);
    return NULL;
}

enum status command_send(struct engine *e, struct command *c)
{
    if (c == NULL) {
        return ST_NOMEM;
    }
    enum status st = queue_try_push(&e->commands, &c->item);
    if (st != ST_OK) {
        command_free(c);
        return st == ST_AGAIN ? ST_LIMIT : st;
    }
    cancel_wake(&e->cancel);
    return ST_OK;
}

static void add_pending(struct engine *e, struct command *c)
{
    c->item.next = NULL;
    *e->pending_tail = &c->item;
    e->pending_tail = &c->item.next;
}

static struct command *take_pending(struct engine *e)
{
    struct queue_item *item = e->pending;
    if (item == NULL) {
        return NULL;
    }
    e->pending = item->next;
    if (e->pending == NULL) {
        e->pending_tail = &e->pending;
    }
    return command_of(item);
}

static void drop_pending(struct engine *e)
{
    struct command *c;
    while ((c = take_pending(e)) != NULL) {
        command_free(c);
    }
}

/* Everything that was asked for before the cancel is meant by it. */
static void take_cancel(struct engine *e, enum cancel_level level)
{
    if (e->cancelled < level) {
        e->cancelled = level;
    }
    for (struct queue_item *item = e->pending; item != NULL; item = item->next) {
        struct command *c = command_of(item);
        if (c->level < level) {
            c->level = level;
        }
    }
}

void engine_take_commands(struct engine *e)
{
    struct queue_item *next;
    for (struct queue_item *item = queue_drain(&e->commands, 0); item != NULL; item = next) {
        struct command *c = command_of(item);
        next = item->next;
        switch (c->kind) {
        case COMMAND_START:
            drop_pending(e);
            e->superseded = true;
            e->paused = false; /* and a pause that comes behind it is meant for it */
            add_pending(e, c);
            break;
        case COMMAND_STEP:
        case COMMAND_CONTINUE:
        case COMMAND_OPEN:
        case COMMAND_TYPE:
        case COMMAND_CHUNK:
        case COMMAND_RAW:
        case COMMAND_HANDSHAKE:
        case COMMAND_HALF_CLOSE:
        case COMMAND_REPLAY:
        case COMMAND_REPLAY_GO:
        case COMMAND_REPLAY_STOP:
            add_pending(e, c);
            break;
        case COMMAND_PAUSE:
            e->paused = c->paused;
            command_free(c);
            break;
        case COMMAND_CANCEL:
            take_cancel(e, c->level);
            command_free(c);
            break;
        case COMMAND_END:
            e->ending = true;
            break;
        }
    }
}

bool engine_interrupted(struct engine *e)
{
    engine_take_commands(e);
    engine_net_check(&e->net);
    return e->ending || e->superseded || e->cancelled != CANCEL_NONE ||
           cancel_level(&e->cancel) != CANCEL_NONE;
}

/*
 * The token may still be raised for what ran before. A cancel that is meant for this command stands
 * behind it in the queue, so the token is lowered first and the queue looked at afterwards.
 */
static void begin(struct engine *e, const struct command *c)
{
    e->superseded = false;
    e->cancelled = c->level;
    cancel_ack(&e->cancel, cancel_level(&e->cancel));
    engine_take_commands(e);
    if (e->cancelled != CANCEL_NONE) {
        cancel_request(&e->cancel, e->cancelled);
    }
}

static void carry_out(struct engine *e, struct command *c)
{
    begin(e, c);
    if (c->done != NULL) {
        event_free(e->done); /* of a run that is paused; it finds another one */
        e->done = c->done;
        c->done = NULL;
    }
    switch (c->kind) {
    case COMMAND_START:
        engine_run_start(e, c);
        break;
    case COMMAND_STEP:
        engine_run_step(e, c);
        break;
    case COMMAND_CONTINUE:
        engine_run_continue(e, c);
        break;
    case COMMAND_OPEN:
        engine_run_open(e, c);
        break;
    case COMMAND_TYPE:
        engine_type_line(e, c);
        break;
    case COMMAND_CHUNK:
        engine_type_data(e, c);
        break;
    case COMMAND_RAW:
        engine_send_raw(e, c);
        break;
    case COMMAND_HANDSHAKE:
        engine_do_handshake(e);
        break;
    case COMMAND_HALF_CLOSE:
        engine_do_half_close(e);
        break;
    case COMMAND_REPLAY:
        engine_run_replay(e, c);
        break;
    case COMMAND_REPLAY_GO:
        engine_replay_continue(e, c);
        break;
    case COMMAND_REPLAY_STOP:
        engine_replay_end(e);
        break;
    case COMMAND_PAUSE:
    case COMMAND_CANCEL:
    case COMMAND_END:
        break;
    }
}

static void *engine_main(void *arg)
{
    struct engine *e = arg;
    for (;;) {
        /* What was taken must be looked at before the next wait: its wake-up is gone. */
        engine_take_commands(e);
        if (e->ending) {
            break;
        }
        struct command *c = take_pending(e);
        if (c != NULL) {
            carry_out(e, c);
            command_free(c);
        } else if (e->remaining != 0 && !e->paused) {
            engine_run_resume(e);
        } else {
            engine_idle(e);
        }
    }
    engine_run_close(e);
    replay_free(&e->replay);
    event_free(e->done);
    wake_call(&e->ended);
    return NULL;
}

/* No signal is handled in the engine's thread: a handler must not interrupt a conversation. */
static enum status start_thread(struct engine *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&e->thread, NULL, engine_main, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? ST_OK : ST_LIMIT;
}

enum status engine_new(struct engine **out, struct network *net, struct error *error)
{
    *out = NULL;
    struct engine *e = calloc(1, sizeof(*e));
    enum status st = ST_NOMEM;
    if (e == NULL) {
        goto out;
    }
    e->pending_tail = &e->pending;
    e->end.kind = COMMAND_END;
    st = queue_init(&e->commands, COMMANDS_MAX_BYTES, command_free_item);
    if (st != ST_OK) {
        goto out_free;
    }
    st = queue_init(&e->events, ENGINE_QUEUE_BYTES, event_free_item);
    if (st != ST_OK) {
        goto out_commands;
    }
    st = cancel_init(&e->cancel);
    if (st != ST_OK) {
        goto out_events;
    }
    st = wake_init(&e->ended);
    if (st != ST_OK) {
        goto out_cancel;
    }
    engine_net_init(&e->net, net, &e->cancel);
    replay_init(&e->replay);
    engine_tell_init(e);
    st = start_thread(e);
    if (st == ST_OK) {
        *out = e;
        return ST_OK;
    }
    wake_fini(&e->ended);
out_cancel:
    cancel_fini(&e->cancel);
out_events:
    queue_fini(&e->events);
out_commands:
    queue_fini(&e->commands);
out_free:
    free(e);
out:
    return error_set(error, st, 0, _("The engine cannot be started: %s."), status_word(st));
}

static void wait_for_end(struct engine *e)
{
    int64_t deadline = deadline_in_ms(clock_monotonic_us(), END_WAIT_MS);
    for (;;) {
        struct pollfd p = {.fd = e->ended.rd, .events = POLLIN};
        int rc = poll(&p, 1, deadline_poll_ms(deadline, clock_monotonic_us()));
        if (rc > 0) {
            return;
        }
        if (rc == 0 || errno != EINTR) {
            cancel_request(&e->cancel, CANCEL_HARD);
            return;
        }
    }
}

void engine_free(struct engine *e)
{
    if (e == NULL) {
        return;
    }
    /* First, so that the engine cannot be waiting for room that nobody makes any more. */
    queue_close(&e->events);
    cancel_request(&e->cancel, CANCEL_POLITE);
    /* It costs nothing in bytes, so there is always room for it, and nothing closes that queue. */
    if (queue_push(&e->commands, &e->end.item) == ST_OK) {
        cancel_wake(&e->cancel);
    }
    wait_for_end(e);
    pthread_join(e->thread, NULL);

    drop_pending(e);
    queue_fini(&e->commands);
    queue_fini(&e->events);
    engine_net_fini(&e->net);
    cancel_fini(&e->cancel);
    wake_fini(&e->ended);
    free(e->target);
    free(e);
}

int engine_fd(const struct engine *e)
{
    return queue_fd(&e->events);
}

struct event *engine_events(struct engine *e, size_t max)
{
    return (struct event *)(void *)queue_drain(&e->events, max);
}

uint32_t engine_generation(const struct engine *e)
{
    return e->generation;
}

/* What makes a target the same one: NULL on no memory. */
static char *target_key(const struct plan *p)
{
    struct buf b;
    buf_init(&b, 4096);
    char *key = NULL;
    if (buf_addf(&b, "%s\n%s\n%u\n%d", p->domain != NULL ? p->domain : "",
                 p->host != NULL ? p->host : "", plan_port(p), (int)p->tls) == ST_OK) {
        key = str_dup(buf_str(&b));
    }
    buf_free(&b);
    return key;
}

static uint32_t start(struct engine *e, const struct plan *plan, bool no_greeting)
{
    uint32_t run = e->generation + 1;
    struct command *c = command_new_job(COMMAND_START, run, plan);
    char *target = target_key(plan);
    if (c == NULL || target == NULL) {
        command_free(c);
        free(target);
        return 0;
    }
    c->no_greeting = no_greeting;
    /* Before the command, so that it is never taken for a cancel of the new run; see begin(). */
    cancel_request(&e->cancel, CANCEL_POLITE);
    if (command_send(e, c) != ST_OK) {
        free(target);
        return 0;
    }
    free(e->target);
    e->target = target;
    e->generation = run;
    return run;
}

uint32_t engine_start(struct engine *e, const struct plan *plan)
{
    return start(e, plan, false);
}

uint32_t engine_start_opening(struct engine *e, const struct plan *plan, uint64_t only,
                              bool no_greeting)
{
    struct plan opening;
    uint32_t run = 0;
    plan_init(&opening);
    if (plan_copy(&opening, plan) == ST_OK) {
        opening.only = only;
        opening.stay = true;
        run = start(e, &opening, no_greeting);
    }
    plan_free(&opening);
    return run;
}

enum status engine_is_elsewhere(const struct engine *e, const struct plan *plan, bool *elsewhere)
{
    *elsewhere = e->generation == 0;
    if (*elsewhere || plan == NULL) {
        return *elsewhere && plan == NULL ? ST_INVALID : ST_OK;
    }
    char *target = target_key(plan);
    if (target == NULL) {
        return ST_NOMEM;
    }
    *elsewhere = strcmp(target, e->target) != 0;
    free(target);
    return ST_OK;
}

enum status engine_steps(struct engine *e, uint64_t mask, const struct plan *plan)
{
    if (mask == 0 || (mask & ~ALL_CHECKS) != 0 || e->generation == 0) {
        return ST_INVALID;
    }
    struct command *c = command_new_job(COMMAND_STEP, e->generation, plan);
    if (c != NULL) {
        c->steps = mask;
    }
    return command_send(e, c);
}

enum status engine_step(struct engine *e, enum check_id check, const struct plan *plan)
{
    return check < CHECK_COUNT ? engine_steps(e, CHECK_BIT(check), plan) : ST_INVALID;
}

enum status engine_continue(struct engine *e)
{
    if (e->generation == 0) {
        return ST_INVALID;
    }
    return command_send(e, command_new_job(COMMAND_CONTINUE, e->generation, NULL));
}

void engine_pause(struct engine *e, bool paused)
{
    struct command *c = command_new(COMMAND_PAUSE, 0);
    if (c != NULL) {
        c->paused = paused;
        enum status st = command_send(e, c);
        (void)st; /* a pause that finds no room is asked for again */
    }
}

void engine_cancel(struct engine *e, enum cancel_level level)
{
    if (level == CANCEL_NONE) {
        return;
    }
    struct command *c = command_new(COMMAND_CANCEL, 0);
    if (c != NULL) {
        c->level = level;
        enum status st = command_send(e, c);
        (void)st; /* the token says it as well */
    }
    cancel_request(&e->cancel, level);
}

void engine_suspended(struct engine *e, int64_t us)
{
    engine_net_suspended(&e->net, us);
    cancel_wake(&e->cancel);
}
