#include "hand.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "raw_text.h"
#include "text.h"

#define SENTENCE_MAX 240

enum status hand_init(struct hand *h)
{
    memset(h, 0, sizeof(*h));
    feed_init(&h->feed);
    enum status st = composer_init(&h->composer);
    return st == ST_OK ? replay_box_init(&h->replay) : st;
}

void hand_free(struct hand *h)
{
    feed_clear(&h->feed);
    free(h->found);
    composer_free(&h->composer);
    replay_box_free(&h->replay);
    memset(h, 0, sizeof(*h));
}

unsigned hand_mode(const struct app *a)
{
    return a->hand.mode | (a->plan.lmtp ? TYPEHINT_LMTP : 0u);
}

bool hand_ready(struct app *a)
{
    if (app_busy(a)) {
        app_say(a, false, "%s",
                _("A step is running. Your line is kept; Enter sends it afterwards."));
        return false;
    }
    if (a->engine == NULL || a->record.session == SMTP_CLOSED) {
        app_say(a, false, "%s", _("There is no connection. :open opens one."));
        return false;
    }
    if (feed_running(&a->hand.feed)) {
        app_say(a, false, "%s", _("Lines are being sent, one by one; F8 stops that."));
        return false;
    }
    return true;
}

/* What was handed over belongs to the conversation that quitting would lose. */
static bool was_taken(struct app *a, enum status st)
{
    if (st != ST_OK) {
        app_say(a, true, "%s", _("The line could not be handed to the connection. It is kept."));
        return false;
    }
    a->status[0] = '\0';
    a->session_wanted = true;
    a->saved = false;
    tview_follow(a->tview, &a->record, true);
    return true;
}

bool hand_send(struct app *a, const char *line, size_t len)
{
    return hand_ready(a) && was_taken(a, engine_type(a->engine, line, len));
}

bool hand_send_raw(struct app *a, const char *notation, bool hidden)
{
    struct buf bytes;
    struct error error = {.text = ""};
    buf_init(&bytes, SMTP_RAW_MAX);
    bool taken = false;
    if (raw_text_read(notation, strlen(notation), &bytes, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
    } else if (hand_ready(a)) {
        unsigned flags = hidden ? ENGINE_RAW_HIDDEN : 0u;
        taken = was_taken(a, engine_raw(a->engine, buf_str(&bytes), bytes.len, flags));
    }
    buf_wipe(&bytes);
    return taken;
}

void hand_open(struct app *a, bool no_greeting)
{
    if (app_busy(a)) {
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        return;
    }
    if (a->plan.domain == NULL && a->plan.host == NULL) {
        app_action(a, ACTION_TARGET);
        return;
    }
    if (a->engine == NULL && !app_connect_engine(a, a->options->scenario)) {
        return;
    }
    enum status st =
        no_greeting ? engine_connect(a->engine, &a->plan) : engine_open(a->engine, &a->plan);
    if (st != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
        return;
    }
    app_adopt_run(a);
    a->wish.focus = PANE_TYPE;
    app_say(a, false, "%s",
            no_greeting ? _("Connecting; no greeting is waited for. What you type goes out first.")
                        : _("Connecting. Enter sends your line when the prompt shows SMTP>."));
}

void hand_feed(struct app *a, enum hand_job job)
{
    a->hand.job = job;
    a->session_wanted = true;
    a->saved = false;
    a->status[0] = '\0';
    tview_follow(a->tview, &a->record, true);
    feed_start(&a->hand.feed);
    hand_pump(a);
}

static enum status send_item(struct app *a, const struct feed_item *item)
{
    switch (item->kind) {
    case FEED_CHUNK:
        return engine_type_chunk(a->engine, item->text, item->len, item->data, item->data_len);
    case FEED_RAW:
        return engine_raw(a->engine, item->text, item->len, 0);
    default:
        return engine_type(a->engine, item->text, item->len);
    }
}

static void say_end(struct app *a)
{
    char text[SENTENCE_MAX];
    struct feed *f = &a->hand.feed;
    bool good = f->state == FEED_DONE;
    feed_sentence(f, text, sizeof(text));
    if (a->hand.job == HAND_MESSAGE && good) {
        app_say(a, false, _("The message was taken: %d."), f->code);
        composer_sent(a);
    } else if (a->hand.job == HAND_MESSAGE && f->state == FEED_REFUSED) {
        app_say(a, true, _("Refused with %d. The message is kept as a draft."), f->code);
    } else if (a->hand.job == HAND_MESSAGE) {
        app_say(a, true, "%s", _("Stopped. The message is kept as a draft."));
    } else if (a->hand.job == HAND_PROBE && good) {
        app_say(a, false, _("Accepted: %u of %u."), f->taken, f->asked);
    } else if (text[0] != '\0') {
        app_say(a, !good, "%s", text);
    }
    feed_clear(f);
}

void hand_pump(struct app *a)
{
    struct feed *f = &a->hand.feed;
    const struct feed_item *item;
    while ((item = feed_due(f)) != NULL) {
        enum status st = send_item(a, item);
        if (st == ST_LIMIT && item->len <= SMTP_RAW_MAX && item->data_len <= ENGINE_CHUNK_MAX) {
            return; /* as much as the engine takes at once; events call again */
        }
        if (st != ST_OK) {
            feed_stop(f, FEED_STOPPED);
            break;
        }
        feed_sent(f, lines_last(a->record.lines));
    }
    if (f->state != FEED_IDLE && !feed_running(f)) {
        say_end(a);
    }
}

void hand_event(struct app *a, const struct event *e)
{
    (void)feed_event(&a->hand.feed, e);
    if (e->kind == EVENT_SESSION && e->u.session.state == SMTP_CLOSED) {
        a->hand.mode &= ~TYPEHINT_ENCODE;
    }
    if (e->kind == EVENT_REPLAY || e->kind == EVENT_RUN_DONE) {
        replay_event(a, e);
    }
}

bool hand_stop(struct app *a)
{
    bool running = feed_running(&a->hand.feed);
    feed_stop(&a->hand.feed, FEED_STOPPED);
    return running;
}

void hand_new_run(struct app *a)
{
    feed_clear(&a->hand.feed);
    a->hand.mode = 0;
}
