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
    /* Ctrl-J is Enter, but where it is wanted as it is. */
    if (key == KEY_CTRL('j') && !composer_quotes(a)) {
        key = UKEY_ENTER;
    }
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
        hand_key(a, key);
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
        hand_paste(a, p, len);
        app_mask_line(a);
        return;
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
}
