#include "hand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base64.h"
#include "complete_file.h"
#include "dialogs.h"
#include "macro.h"
#include "paste.h"
#include "text.h"

/* What a 334 is answered with, in base64. "\0" stands for the NULs that PLAIN has in it. */
static bool send_encoded(struct app *a, const char *text)
{
    struct buf plain, line;
    enum status st = ST_OK;
    buf_init(&plain, LINEEDIT_MAX);
    buf_init(&line, 2 * LINEEDIT_MAX);
    for (const char *p = text; *p != '\0' && st == ST_OK; p++) {
        bool nul = p[0] == '\\' && p[1] == '0';
        st = buf_add_char(&plain, nul ? '\0' : *p);
        p += nul ? 1 : 0;
    }
    if (st == ST_OK) {
        st = base64_encode(&line, buf_str(&plain), plain.len);
    }
    bool sent = false;
    if (st == ST_OK) {
        sent = hand_send(a, buf_str(&line), line.len);
    } else {
        app_say(a, true, "%s", _("The line is too long."));
    }
    buf_wipe(&plain);
    buf_wipe(&line);
    return sent;
}

bool hand_answer(struct app *a, const char *text)
{
    if (a->record.session != SMTP_CONTINUATION) {
        app_say(a, false, "%s",
                _("No 334 is waiting for an answer. :auth opens the form for a login."));
        return false;
    }
    return send_encoded(a, text);
}

static bool is_data(const struct app *a, const char *line)
{
    return (a->hand.mode & TYPEHINT_RAW) == 0 && a->record.session == SMTP_RCPT &&
           !a->plan.read_only && str_equal_nocase(line, "DATA");
}

/* Hands the line on as what it is; true when it is out of the user's hands. */
static bool dispatch(struct app *a, const char *line)
{
    unsigned mode = hand_mode(a);
    if (typehint_is_macro(&a->record, mode, line)) {
        return macro_run(a, line);
    }
    if ((mode & TYPEHINT_RAW) != 0) {
        return hand_send_raw(a, line, typehint_secret(&a->record, mode, line));
    }
    bool answers = a->record.session == SMTP_CONTINUATION && strcmp(line, "*") != 0;
    if (answers && (mode & TYPEHINT_ENCODE) != 0) {
        return hand_answer(a, line);
    }
    return hand_send(a, line, a->smtp.len);
}

void hand_enter(struct app *a)
{
    const char *line = lineedit_text(&a->smtp);
    unsigned mode = hand_mode(a);
    bool macro = typehint_is_macro(&a->record, mode, line);
    if (!macro && !app_busy(a) && (a->engine == NULL || a->record.session == SMTP_CLOSED)) {
        hand_open(a, false);
        return;
    }
    if (!macro && !hand_ready(a)) {
        return;
    }
    if (is_data(a, line)) {
        lineedit_commit(&a->smtp, true);
        composer_open(a, false, NULL, NULL);
        return;
    }
    if (typehint_dangerous(&a->record, mode, line) && !a->second_enter) {
        a->second_enter = true;
        app_say(a, false, "%s",
                _("This has consequences on the other side. Enter again sends it."));
        return;
    }
    a->second_enter = false;
    /* What is typed ahead may be the answer to a question that has not come yet: it is not
       remembered either. */
    bool secret = a->record.waiting != WAIT_NONE || a->record.session == SMTP_CONTINUATION ||
                  typehint_secret(&a->record, mode, line);
    char *copy = str_dup(line);
    if (copy == NULL) {
        app_say(a, true, "%s", _("Not enough memory."));
        return;
    }
    if (dispatch(a, copy)) {
        lineedit_commit(&a->smtp, !secret && copy[0] != '\0');
    }
    secret_wipe(copy, strlen(copy));
    free(copy);
}

static void list_close(struct hand *h)
{
    free(h->found);
    h->found = NULL;
    h->tabbed = false;
}

/* Puts in what all candidates share. True when that made the line longer. */
static bool put_shared(struct app *a, const struct typehint_candidates *found)
{
    char shared[sizeof(found->text[0])];
    str_copy(shared, sizeof(shared), found->text[0]);
    for (size_t i = 1; i < found->count; i++) {
        size_t same = 0;
        while (shared[same] != '\0' && shared[same] == found->text[i][same]) {
            same++;
        }
        shared[same] = '\0';
    }
    if (strlen(shared) <= a->smtp.len) {
        return false;
    }
    if (lineedit_set(&a->smtp, shared) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
    }
    return true;
}

static void complete(struct app *a)
{
    struct hand *h = &a->hand;
    const char *line = lineedit_text(&a->smtp);
    bool again = h->tabbed;
    size_t top = h->found != NULL ? h->found_top + h->found_rows : 0;
    list_close(h);
    if (str_equal_nocase(line, "AUTH") || str_equal_nocase(line, "AUTH ")) {
        dialog_open_login(a);
        return;
    }
    struct typehint_candidates *found = calloc(1, sizeof(*found));
    if (found == NULL) {
        return;
    }
    typehint_complete(&a->record, hand_mode(a), line, found);
    if (typehint_is_macro(&a->record, hand_mode(a), line)) {
        complete_file(line, found);
    }
    if (found->count == 0) {
        app_say(a, false, "%s", _("Nothing to complete here."));
    } else if (!put_shared(a, found) && found->count > 1 && again) {
        h->found = found;
        h->found_top = top < found->count ? top : 0;
        h->tabbed = true;
        a->status[0] = '\0';
        return;
    } else if (found->count > 1) {
        h->tabbed = true;
        app_say(a, false,
                Q_("%lu line fits; Tab again lists it.", "%lu lines fit; Tab again lists them.",
                   (unsigned long)found->count),
                (unsigned long)found->count);
    }
    free(found);
}

void hand_key(struct app *a, uint32_t key)
{
    struct hand *h = &a->hand;
    bool listed = h->found != NULL;
    if (key != UKEY_TAB) {
        list_close(h);
    }
    if (listed && key == UKEY_ESC) {
        return;
    }
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
        hand_enter(a);
        break;
    case EDIT_CANCEL:
    case EDIT_EOF:
        a->wish.focus = PANE_TRANSCRIPT;
        break;
    case EDIT_COMPLETE:
        a->second_enter = false;
        complete(a);
        break;
    case EDIT_CHANGED:
        a->second_enter = false;
        a->status[0] = '\0';
        break;
    default:
        break;
    }
}

void hand_paste(struct app *a, const char *p, size_t len)
{
    a->second_enter = false;
    list_close(&a->hand);
    if (paste_lines(p, len) > 1) {
        dialog_open_paste(a, p, len);
    } else if (lineedit_insert(&a->smtp, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The pasted text is too long for this line."));
    }
}
