#include "dialogs.h"

#include <stdlib.h>
#include <string.h>

#include "boxes.h"
#include "text.h"

#define HELP_MAX 16384
/* Every box of a practice says so, because a tall one covers the header that does. */
#define DEMO_TAG "DEMO"

struct dialog *dialog_push(struct app *a, enum dialog_kind kind)
{
    if (a->dialog_count == APP_DIALOGS_MAX) {
        return NULL;
    }
    struct dialog *d = &a->dialogs[a->dialog_count++];
    memset(d, 0, sizeof(*d));
    d->kind = kind;
    d->tag = a->demo ? DEMO_TAG : NULL;
    buf_init(&d->text, 8u << 20);
    return d;
}

void dialog_close(struct app *a)
{
    if (a->dialog_count == 0) {
        return;
    }
    struct dialog *d = &a->dialogs[--a->dialog_count];
    form_free(&d->form);
    if (d->kind == DIALOG_LIST) {
        lineedit_free(&d->filter);
    }
    free(d->rows);
    buf_wipe(&d->text); /* pasted lines may have held a password */
    memset(d, 0, sizeof(*d));
}

struct dialog *dialog_top(struct app *a)
{
    return a->dialog_count > 0 ? &a->dialogs[a->dialog_count - 1] : NULL;
}

void dialog_open_list(struct app *a, enum list_purpose purpose)
{
    struct dialog *d = dialog_push(a, DIALOG_LIST);
    if (d == NULL) {
        return;
    }
    d->mode = app_mode(a);
    d->tag = purpose == LIST_SCENARIOS ? DEMO_TAG : d->tag;
    list_open(a, d, purpose);
}

void dialog_open_text(struct app *a, const char *title, struct buf *text)
{
    struct dialog *d = dialog_push(a, DIALOG_TEXT);
    if (d == NULL) {
        buf_free(text);
        return;
    }
    buf_free(&d->text);
    d->title = title;
    d->text = *text;
    memset(text, 0, sizeof(*text));
}

/* These two draw and read keys by themselves; all other boxes are forms, lists or texts. */
static bool is_own(const struct dialog *d)
{
    return d->kind == DIALOG_COMPOSER || d->kind == DIALOG_REPLAY;
}

bool dialog_in_text(const struct dialog *d)
{
    return d->kind == DIALOG_LIST || is_own(d) || (d->kind != DIALOG_TEXT && form_in_text(&d->form));
}

/* The start screen promises to tell what will be sent; every box tells its keys. */
static void open_help(struct app *a, bool start)
{
    struct buf text;
    enum status status = ST_OK;
    buf_init(&text, HELP_MAX);
    if (start) {
        status = buf_addf(
            &text, "%s\n\n%s\n\n%s\n\n",
            _("Safe checks ask name servers (DNS) about the domain, its mail hosts and your own "
              "address. From behind a router they also ask OpenDNS, Google or Akamai which address "
              "the world sees. Then they connect to a mail host of the domain and say EHLO, STARTTLS "
              "and QUIT. They name no sender and no recipient, do not log in, and send no mail."),
            _("Practise sends nothing: the servers are part of this program. Which lessons you "
              "have solved is kept in smtpscope/lessons below $XDG_STATE_HOME or ~/.local/state."),
            _("Type SMTP runs the safe checks and keeps the connection open for your lines; Enter "
              "sends one. The relay test, logging in and a test mail ask you first."));
    }
    if (status == ST_OK) {
        status = buf_add_str(
            &text, _("Keys: Tab and the arrows move, Space chooses, Enter presses a button, F5 "
                     "accepts where nothing has to be confirmed, PgUp and PgDn show what does not "
                     "fit, Esc closes, F10 leaves."));
    }
    if (status != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
        buf_free(&text);
        return;
    }
    dialog_open_text(a, start ? _("What will be sent, and to whom") : _("Help: what the keys do here"),
                     &text);
}

static void open_composer_help(struct app *a)
{
    struct buf text;
    buf_init(&text, HELP_MAX);
    if (composer_help(&text) == ST_OK) {
        dialog_open_text(a, _("Help: what the keys do here"), &text);
    } else {
        buf_free(&text);
    }
}

/* Keys that mean the same in every box: those of the terminal, help, and leaving. */
static bool common_key(struct app *a, struct dialog *d, uint32_t key)
{
    if (key == KEY_CTRL('L')) {
        a->requests |= APP_REDRAW;
        return true;
    }
    if (key == KEY_CTRL('Z')) {
        a->requests |= APP_SUSPEND;
        return true;
    }
    if (key == UKEY_F10 || key == KEY_CTRL('C')) {
        if (d->kind == DIALOG_START) {
            a->requests |= APP_QUIT;
        } else {
            dialog_close(a);
        }
        return true;
    }
    if (key == UKEY_F8 && app_running(a)) {
        app_action(a, ACTION_STOP);
        return true;
    }
    if (key == UKEY_F1 && d->kind == DIALOG_COMPOSER) {
        open_composer_help(a);
        return true;
    }
    if (key == UKEY_F1 && d->kind != DIALOG_LIST && d->kind != DIALOG_TEXT) {
        open_help(a, d->kind == DIALOG_START);
        return true;
    }
    return false;
}

void dialog_key(struct app *a, uint32_t key)
{
    struct dialog *d = dialog_top(a);
    if (common_key(a, d, key)) {
        return;
    }
    if (d->kind == DIALOG_LIST) {
        list_key(a, d, key);
        return;
    }
    if (d->kind == DIALOG_TEXT) {
        text_key(a, d, key);
        return;
    }
    if (d->kind == DIALOG_COMPOSER) {
        composer_key(a, d, key);
        return;
    }
    if (d->kind == DIALOG_REPLAY) {
        replay_key(a, d, key);
        return;
    }
    int pressed = -1;
    enum report_format format = d->kind == DIALOG_SAVE ? box_save_format(&d->form) : REPORT_TEXT;
    bool careful = d->kind == DIALOG_RELAY || d->kind == DIALOG_SEND || d->kind == DIALOG_POST ||
                   d->kind == DIALOG_PASTE || d->kind == DIALOG_SCRIPT || d->kind == DIALOG_ANSWER ||
                   (d->kind == DIALOG_LOGIN && form_has(&d->form, F_CLEAR));
    switch (form_key(&d->form, key, careful, &pressed)) {
    case FORM_PRESSED:
        box_press(a, d, pressed);
        break;
    case FORM_CANCELLED:
        if (d->kind != DIALOG_START) {
            dialog_close(a);
        } else if (key == 'q') {
            a->requests |= APP_QUIT;
        }
        break;
    case FORM_CHANGED:
        if (d->kind == DIALOG_SAVE) {
            box_save_rename(&d->form, format);
        }
        if (d->kind == DIALOG_LOGIN) {
            form_field(&d->form, F_PASSWORD)->on = form_field(&d->form, F_SHOW)->on;
        }
        break;
    case FORM_IGNORED:
        break;
    }
}

void dialog_paste(struct app *a, const char *p, size_t len)
{
    struct dialog *d = dialog_top(a);
    struct lineedit *into = NULL;
    if (d->kind == DIALOG_COMPOSER) {
        composer_paste(a, p, len);
    } else if (d->kind == DIALOG_REPLAY) {
        replay_paste(a, p, len);
    } else if (d->kind == DIALOG_LIST) {
        into = &d->filter;
    } else if (d->kind != DIALOG_TEXT && form_in_text(&d->form)) {
        into = &d->form.fields[d->form.focus].edit;
    }
    if (into != NULL && lineedit_insert(into, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The pasted text is too long for this field."));
    }
}

void dialog_draw(struct app *a, struct dialog *d, struct canvas *c)
{
    if (d->kind == DIALOG_LIST) {
        list_draw(a, d, c);
    } else if (d->kind == DIALOG_TEXT) {
        text_draw(d, c);
    } else if (d->kind == DIALOG_COMPOSER) {
        composer_draw(a, d, c);
    } else if (d->kind == DIALOG_REPLAY) {
        replay_draw(a, d, c);
    } else {
        d->form.tag = d->tag;
        form_draw(&d->form, c);
        if (d->kind == DIALOG_START && a->status[0] != '\0') {
            struct rect row = {0, c->h - 1, c->w, 1};
            canvas_str(c, row, 1, c->h - 1, a->status_error ? ROLE_ERROR : ROLE_TEXT, a->status);
        }
    }
}
