#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"

/* A line, and for COMMAND_CHUNK the octets behind it. */
static struct command *with_text(enum command_kind kind, const char *line, size_t len,
                                 const char *data, size_t data_len)
{
    struct command *c = command_new(kind, len + data_len + 1);
    if (c == NULL) {
        return NULL;
    }
    c->text = (char *)c + sizeof(*c);
    c->len = len + data_len;
    c->line_len = len;
    if (len > 0) {
        memcpy(c->text, line, len);
    }
    if (data_len > 0) {
        memcpy(c->text + len, data, data_len);
    }
    return c;
}

enum status engine_type(struct engine *e, const char *line, size_t len)
{
    if (len > SMTP_RAW_MAX) {
        return ST_LIMIT;
    }
    return command_send(e, with_text(COMMAND_TYPE, line, len, NULL, 0));
}

enum status engine_type_chunk(struct engine *e, const char *line, size_t len, const char *data,
                              size_t data_len)
{
    if (len > SMTP_COMMAND_MAX || data_len > ENGINE_CHUNK_MAX) {
        return ST_LIMIT;
    }
    return command_send(e, with_text(COMMAND_CHUNK, line, len, data, data_len));
}

enum status engine_raw(struct engine *e, const char *bytes, size_t len, unsigned flags)
{
    if (len > SMTP_RAW_MAX) {
        return ST_LIMIT;
    }
    struct command *c = with_text(COMMAND_RAW, bytes, len, NULL, 0);
    if (c != NULL) {
        c->flags = flags;
    }
    return command_send(e, c);
}

enum status engine_handshake(struct engine *e)
{
    return command_send(e, command_new(COMMAND_HANDSHAKE, 0));
}

enum status engine_half_close(struct engine *e)
{
    return command_send(e, command_new(COMMAND_HALF_CLOSE, 0));
}

static enum status open_connection(struct engine *e, const struct plan *plan, bool no_greeting)
{
    bool elsewhere = false;
    enum status st = engine_is_elsewhere(e, plan, &elsewhere);
    if (st != ST_OK) {
        return st;
    }
    if (elsewhere) {
        uint64_t only = no_greeting ? CHECK_BIT(CHECK_CONNECT) : CHECK_BIT(CHECK_BANNER);
        return engine_start_opening(e, plan, only, no_greeting) != 0 ? ST_OK : ST_NOMEM;
    }
    struct command *c = command_new_job(COMMAND_OPEN, e->generation, NULL);
    if (c != NULL) {
        c->no_greeting = no_greeting;
    }
    return command_send(e, c);
}

enum status engine_open(struct engine *e, const struct plan *plan)
{
    return open_connection(e, plan, false);
}

enum status engine_connect(struct engine *e, const struct plan *plan)
{
    return open_connection(e, plan, true);
}

enum status engine_replay(struct engine *e, const struct plan *plan, const struct script *script,
                          bool step_by_step)
{
    bool elsewhere = false;
    struct script *copy = NULL;
    enum status st = engine_is_elsewhere(e, plan, &elsewhere);
    if (st == ST_OK) {
        st = script_copy(script, &copy);
    }
    if (st == ST_OK && elsewhere &&
        engine_start_opening(e, plan, CHECK_BIT(CHECK_BANNER), false) == 0) {
        st = ST_NOMEM;
    }
    if (st != ST_OK) {
        script_free(copy);
        return st;
    }
    struct command *c = command_new_job(COMMAND_REPLAY, e->generation, plan);
    if (c == NULL) {
        script_free(copy);
        return ST_NOMEM;
    }
    c->script = copy;
    c->one_step = step_by_step;
    return command_send(e, c);
}

enum status engine_replay_go(struct engine *e, bool one_step)
{
    struct command *c = command_new_job(COMMAND_REPLAY_GO, e->generation, NULL);
    if (c != NULL) {
        c->one_step = one_step;
    }
    return command_send(e, c);
}

enum status engine_replay_stop(struct engine *e)
{
    return command_send(e, command_new(COMMAND_REPLAY_STOP, 0));
}
