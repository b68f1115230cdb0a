#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogs.h"
#include "text.h"

/* The line under the prompt, when it asks for what to find or which lines to keep. */
static void ask_key(struct app *a, uint32_t key)
{
    struct error error = {0};
    if (key == UKEY_ESC || key == KEY_CTRL('G') || key == KEY_CTRL('C')) {
        a->ask = ASK_NOTHING;
        return;
    }
    enum action action = keys_find(MODE_TEXT, key);
    if (action != ACTION_NONE) {
        bool stays = action == ACTION_REDRAW || action == ACTION_SUSPEND || action == ACTION_STOP;
        a->ask = stays ? a->ask : ASK_NOTHING;
        app_action(a, action);
        return;
    }
    enum lineedit_result result = lineedit_key(&a->ask_edit, key);
    bool filter = a->ask == ASK_FILTER;
    if (result == EDIT_CANCEL) {
        a->ask = ASK_NOTHING;
        return;
    }
    if (result == EDIT_CHANGED) {
        a->status[0] = '\0';
    }
    if (result != EDIT_ENTER) {
        return;
    }
    enum status status = filter
                             ? tview_filter(a->tview, &a->record, lineedit_text(&a->ask_edit), &error)
                             : tview_find(a->tview, &a->record, lineedit_text(&a->ask_edit), &error);
    if (status != ST_OK) {
        app_say(a, true, "%s", error.text);
        return;
    }
    if (!filter && lineedit_text(&a->ask_edit)[0] != '\0' &&
        !tview_find_next(a->tview, &a->record, 1)) {
        app_say(a, true, "%s", _("Not found in the transcript."));
    }
    lineedit_commit(&a->ask_edit, true);
    a->ask = ASK_NOTHING;
    a->wish.focus = PANE_TRANSCRIPT;
}

static void type_enter(struct app *a)
{
    const char *line = lineedit_text(&a->smtp);
    if (app_busy(a)) {
        app_say(a, false, "%s", _("A step is running. Your line is kept; Enter sends it afterwards."));
        return;
    }
    if (a->engine == NULL || a->record.session == SMTP_CLOSED) {
        app_action(a, ACTION_TYPE);
        return;
    }
    if (typehint_dangerous(&a->record, line) && !a->second_enter) {
        a->second_enter = true;
        app_say(a, false, "%s", _("This has consequences on the other side. Enter again sends it."));
        return;
    }
    a->second_enter = false;
    /* What is typed ahead may be the answer to a question that has not come yet: it is not remembered either. */
    bool secret = a->record.waiting != WAIT_NONE || typehint_secret(&a->record, line);
    if (engine_type(a->engine, line, a->smtp.len) != ST_OK) {
        app_say(a, true, "%s", _("The line could not be handed to the connection. It is kept."));
        return;
    }
    a->status[0] = '\0';
    a->session_wanted = true;
    a->saved = false;
    lineedit_commit(&a->smtp, !secret && line[0] != '\0');
    tview_follow(a->tview, &a->record, true);
}

/* Fills in what all candidates share, and lists them in the status line. */
static void type_complete_many(struct app *a, const struct typehint_candidates *found)
{
    char shared[sizeof(found->text[0])];
    str_copy(shared, sizeof(shared), found->text[0]);
    size_t at = 0;
    a->status[0] = '\0';
    a->status_error = false;
    for (size_t i = 0; i < found->count; i++) {
        size_t same = 0;
        while (shared[same] != '\0' && shared[same] == found->text[i][same]) {
            same++;
        }
        shared[same] = '\0';
        if (at + 3 < sizeof(a->status)) {
            int n = snprintf(a->status + at, sizeof(a->status) - at, "%s%s", i > 0 ? "  " : "",
                             found->text[i]);
            at += n > 0 ? (size_t)n : 0;
        }
    }
    if (strlen(shared) > a->smtp.len && lineedit_set(&a->smtp, shared) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
    }
}

static void type_complete(struct app *a)
{
    const char *line = lineedit_text(&a->smtp);
    if (str_equal_nocase(line, "AUTH") || str_equal_nocase(line, "AUTH ")) {
        dialog_open_login(a);
        return;
    }
    struct typehint_candidates *found = calloc(1, sizeof(*found));
    if (found == NULL) {
        return;
    }
    typehint_complete(&a->record, line, found);
    if (found->count == 0) {
        app_say(a, false, "%s", _("Nothing to complete here."));
    } else if (found->count == 1) {
        if (lineedit_set(&a->smtp, found->text[0]) != ST_OK) {
            app_say(a, true, "%s", _("Not enough memory."));
        }
    } else {
        type_complete_many(a, found);
    }
    free(found);
}

static void type_key(struct app *a, uint32_t key)
{
    if (key == KEY_CTRL('C')) {
        if (a->smtp.len > 0) {
            lineedit_commit(&a->smtp, false);
        } else {
            app_action(a, ACTION_STOP);
        }
        return;
    }
    enum action action = a->smtp.quote_next ? ACTION_NONE : keys_find(MODE_TEXT, key);
    if (action != ACTION_NONE) {
        app_action(a, action);
        return;
    }
    switch (lineedit_key(&a->smtp, key)) {
    case EDIT_ENTER:
        type_enter(a);
        break;
    case EDIT_CANCEL:
    case EDIT_EOF:
        a->wish.focus = PANE_TRANSCRIPT;
        break;
    case EDIT_COMPLETE:
        a->second_enter = false;
        type_complete(a);
        break;
    case EDIT_CHANGED:
        a->second_enter = false;
        break;
    default:
        break;
    }
}

/* In a terminal that is too small no box can be seen, so none may open and no question be asked. */
static void small_key(struct app *a, uint32_t key)
{
    enum action action = keys_find((enum key_mode)(MODE_PANE + PANE_STEPS), key);
    if (action == ACTION_QUIT) {
        a->requests |= APP_QUIT;
    } else if (action == ACTION_STOP || action == ACTION_SUSPEND || action == ACTION_REDRAW ||
               action == ACTION_QUIT_REPORT) {
        app_action(a, action);
    }
}

void app_key(struct app *a, uint32_t key)
{
    if (a->layout.kind == LAYOUT_TOO_SMALL) {
        small_key(a, key);
        return;
    }
    if (a->ask != ASK_NOTHING) {
        ask_key(a, key);
        return;
    }
    if (a->dialog_count > 0) {
        dialog_key(a, key);
        return;
    }
    if (a->wish.focus == PANE_TYPE) {
        type_key(a, key);
        app_mask_line(a);
        return;
    }
    if (guide_edits(a)) {
        guide_field_key(a, key);
        return;
    }
    enum action action = keys_find(app_mode(a), key);
    if (action != ACTION_NONE) {
        app_action(a, action);
    }
}

void app_paste(struct app *a, const char *p, size_t len)
{
    struct lineedit *into = NULL;
    if (a->ask != ASK_NOTHING) {
        into = &a->ask_edit;
    } else if (a->dialog_count > 0) {
        dialog_paste(a, p, len);
        return;
    } else if (a->wish.focus == PANE_TYPE) {
        into = &a->smtp;
        a->second_enter = false;
    } else if (guide_edits(a)) {
        into = &a->guide_pane.field;
    }
    if (into == NULL) {
        app_say(a, false, "%s", _("Pasted text was ignored: no field is open. i opens the SMTP line."));
        return;
    }
    if (lineedit_insert(into, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The pasted text is too long for this line."));
    }
    app_mask_line(a);
}
