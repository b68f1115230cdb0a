#include "composer.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "app.h"
#include "composer_parts.h"
#include "dialogs.h"
#include "letter.h"
#include "sample.h"
#include "text.h"

#define EICAR_NAME "eicar.com"
#define SAMPLE_MAX 4096

const char *const composer_buttons[COMPOSER_BUTTONS] = {
    [BUTTON_SEND] = N_("Send"),     [BUTTON_ENVELOPE] = N_("Envelope"), [BUTTON_LOAD] = N_("Load"),
    [BUTTON_ATTACH] = N_("Attach"), [BUTTON_GTUBE] = "GTUBE",           [BUTTON_EICAR] = "EICAR",
    [BUTTON_WIRE] = N_("Wire"),     [BUTTON_LEAVE] = N_("Leave"),
};

enum status composer_init(struct composer *m)
{
    memset(m, 0, sizeof(*m));
    m->button = -1;
    m->flags[PARAM_SIZE] = true;
    return textarea_init(&m->text);
}

void composer_free(struct composer *m)
{
    textarea_free(&m->text);
    memset(m, 0, sizeof(*m));
}

static const char *own_name(const struct app *a)
{
    const struct facts *path = record_path(&a->record);
    return path != NULL && path->ehlo_name != NULL ? path->ehlo_name : "localhost";
}

/* In the practice network every run is the same, byte for byte. */
static uint64_t random_number(const struct app *a)
{
    uint64_t n = 1;
    if (!a->demo && getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n)) {
        n = (uint64_t)clock_monotonic_us();
    }
    return n;
}

/* Headers need addresses, whatever the envelope has. */
static const char *header_address(const struct app *a, const char *address, char *room, size_t size)
{
    struct error unused = {.text = ""};
    if (address_check(address, false, true, &unused) == ST_OK) {
        return address;
    }
    (void)snprintf(room, size, "postmaster@%s", own_name(a));
    return room;
}

static enum status write_letter(struct app *a, struct error *error)
{
    struct composer *m = &a->hand.composer;
    char from[TRANSACTION_ADDRESS_MAX + 16];
    char to[TRANSACTION_ADDRESS_MAX + 16];
    char run_id[24];
    uint64_t random = random_number(a);
    (void)snprintf(run_id, sizeof(run_id), "%016llx", (unsigned long long)random);
    struct compose_message letter = {
        .from = header_address(a, m->from, from, sizeof(from)),
        .to = header_address(a, m->to, to, sizeof(to)),
        .subject = a->plan.subject != NULL ? a->plan.subject : _("Test mail from smtpscope"),
        .helo = own_name(a),
        .run_id = run_id,
        .body = compose_standard_body(),
        .wall_us = a->demo ? a->record.started_wall_us : clock_wall_us(),
        .random = random};
    enum status st = letter_write(&m->text, &letter, error);
    if (st == ST_OK && a->plan.message.p != NULL) {
        st = letter_take(&m->text, a->plan.message.p, a->plan.message.len);
    }
    return st;
}

static void default_envelope(struct app *a, const char *from, const char *to)
{
    struct composer *m = &a->hand.composer;
    if (from != NULL && from[0] != '\0') {
        str_copy(m->from, sizeof(m->from), from);
    } else if (m->from[0] == '\0' && a->plan.from != NULL) {
        str_copy(m->from, sizeof(m->from), a->plan.from);
    } else if (m->from[0] == '\0') {
        (void)snprintf(m->from, sizeof(m->from), "postmaster@%s", own_name(a));
    }
    if (to != NULL && to[0] != '\0') {
        str_copy(m->to, sizeof(m->to), to);
    } else if (m->to[0] == '\0' && a->plan.to != NULL) {
        str_copy(m->to, sizeof(m->to), a->plan.to);
    } else if (m->to[0] == '\0' && a->plan.domain != NULL) {
        (void)snprintf(m->to, sizeof(m->to), "postmaster@%s", a->plan.domain);
    }
}

static bool is_open(struct app *a)
{
    for (size_t i = 0; i < a->dialog_count; i++) {
        if (a->dialogs[i].kind == DIALOG_COMPOSER) {
            return true;
        }
    }
    return false;
}

void composer_open(struct app *a, bool own_envelope, const char *from, const char *to)
{
    struct composer *m = &a->hand.composer;
    struct error error = {.text = ""};
    struct transaction open;
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never sends a message."));
        return;
    }
    if (feed_running(&a->hand.feed)) {
        app_say(a, false, "%s", _("Lines are being sent, one by one; F8 stops that."));
        return;
    }
    m->own_envelope = own_envelope;
    if (own_envelope) {
        default_envelope(a, from, to);
    } else {
        transaction_read(&a->record, &open);
        str_copy(m->from, sizeof(m->from), open.from);
        str_copy(m->to, sizeof(m->to), open.to);
    }
    if (!m->written && write_letter(a, &error) != ST_OK) {
        app_say(a, true, "%s", error.text[0] != '\0' ? error.text : _("Not enough memory."));
        return;
    }
    m->written = true;
    m->button = -1;
    if (!is_open(a)) {
        (void)dialog_push(a, DIALOG_COMPOSER);
    }
}

bool composer_take(struct app *a, const char *p, size_t len)
{
    if (letter_take(&a->hand.composer.text, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The text is too long for the composer."));
        return false;
    }
    a->hand.composer.text.changed = true;
    return true;
}

void composer_sent(struct app *a)
{
    a->hand.composer.written = false;
    a->hand.composer.exact = false;
}

static void leave(struct app *a)
{
    dialog_close(a);
    if (a->hand.composer.text.changed) {
        app_say(a, false, "%s", _("The message is kept as a draft: DATA or :mail opens it again."));
    }
}

static void insert_gtube(struct app *a)
{
    struct composer *m = &a->hand.composer;
    struct buf line;
    buf_init(&line, SAMPLE_MAX);
    enum status st = sample_add(SAMPLE_GTUBE, &line);
    if (st == ST_OK) {
        st = buf_add_str(&line, "\r\n");
    }
    textarea_goto(&m->text, m->text.row, 0);
    if (st != ST_OK || textarea_insert(&m->text, line.p, line.len) != ST_OK) {
        app_say(a, true, "%s", _("The text is full."));
    }
    buf_wipe(&line);
}

/* Scanners look for it at the begin of a file. */
static void attach_eicar(struct app *a)
{
    struct buf virus;
    buf_init(&virus, SAMPLE_MAX);
    enum status st = sample_add(SAMPLE_EICAR, &virus);
    struct mime_part part = {.name = EICAR_NAME, .p = buf_str(&virus), .len = virus.len};
    if (st != ST_OK || letter_attach(&a->hand.composer.text, &part, random_number(a)) != ST_OK) {
        app_say(a, true, "%s", _("The text is full."));
    }
    buf_wipe(&virus);
}

bool composer_attach(struct app *a, const char *name, const char *p, size_t len)
{
    struct mime_part part = {.name = name, .p = p, .len = len};
    return letter_attach(&a->hand.composer.text, &part, random_number(a)) == ST_OK;
}

static void press(struct app *a, int button)
{
    switch (button) {
    case BUTTON_SEND:
        composer_open_consent(a);
        break;
    case BUTTON_ENVELOPE:
        composer_open_envelope(a);
        break;
    case BUTTON_LOAD:
        composer_open_file(a, false);
        break;
    case BUTTON_ATTACH:
        composer_open_file(a, true);
        break;
    case BUTTON_GTUBE:
        insert_gtube(a);
        break;
    case BUTTON_EICAR:
        attach_eicar(a);
        break;
    case BUTTON_WIRE:
        a->hand.composer.view = (a->hand.composer.view + 1) % (a->hand.composer.both ? 3 : 2);
        break;
    default:
        leave(a);
        break;
    }
}

/* Tab goes through the text and the buttons. */
static void move_focus(struct composer *m, int step)
{
    int places = COMPOSER_BUTTONS + 1;
    m->button = (m->button + 1 + places + step) % places - 1;
}

static bool function_key(struct app *a, uint32_t key)
{
    static const struct {
        uint32_t key;
        int button;
    } keys[] = {{UKEY_F5, BUTTON_SEND},   {KEY_CTRL('d'), BUTTON_SEND}, {UKEY_F2, BUTTON_ENVELOPE},
                {UKEY_F3, BUTTON_LOAD},   {UKEY_F4, BUTTON_ATTACH},     {UKEY_F6, BUTTON_WIRE},
                {UKEY_ESC, BUTTON_LEAVE}, {KEY_CTRL('g'), BUTTON_LEAVE}};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].key == key) {
            press(a, keys[i].button);
            return true;
        }
    }
    return false;
}

static void button_key(struct app *a, uint32_t key)
{
    struct composer *m = &a->hand.composer;
    switch (key) {
    case UKEY_LEFT:
        m->button -= m->button > 0 ? 1 : 0;
        break;
    case UKEY_RIGHT:
        m->button += m->button + 1 < COMPOSER_BUTTONS ? 1 : 0;
        break;
    case UKEY_UP:
        m->button = -1;
        break;
    case UKEY_ENTER:
    case ' ':
        press(a, m->button);
        break;
    default:
        break;
    }
}

void composer_key(struct app *a, struct dialog *d, uint32_t key)
{
    struct composer *m = &a->hand.composer;
    (void)d;
    bool quoted = m->button < 0 && m->text.quote_next;
    if (!quoted && function_key(a, key)) {
        return;
    }
    if (!quoted && (key == UKEY_TAB || key == UKEY_BACKTAB)) {
        move_focus(m, key == UKEY_TAB ? 1 : -1);
    } else if (m->button >= 0) {
        button_key(a, key);
    } else if (textarea_key(&m->text, key, m->page) == AREA_FULL) {
        app_say(a, true, "%s", _("The text is full."));
    }
}

bool composer_quotes(struct app *a)
{
    const struct dialog *d = dialog_top(a);
    return d != NULL && d->kind == DIALOG_COMPOSER && a->hand.composer.text.quote_next;
}

void composer_paste(struct app *a, const char *p, size_t len)
{
    struct composer *m = &a->hand.composer;
    struct buf text;
    enum status st = ST_OK;
    /* Terminals send CR for a line end. */
    buf_init(&text, 2 * TEXTAREA_MAX);
    for (size_t i = 0; i < len && st == ST_OK; i++) {
        bool cr = p[i] == '\r';
        st = cr && i + 1 < len && p[i + 1] == '\n' ? ST_OK : buf_add_char(&text, cr ? '\n' : p[i]);
    }
    if (st != ST_OK || textarea_insert(&m->text, buf_str(&text), text.len) != ST_OK) {
        app_say(a, true, "%s", _("The text is full."));
    }
    buf_free(&text);
}

enum status composer_help(struct buf *out)
{
    return buf_add_str(
        out, _("The message is text, headers and all; what you see is what is sent. Lines that "
               "begin with a dot get one more on the wire.\n\n"
               "F5 or Ctrl-D  send it, after a box that asks\n"
               "F2  envelope and parameters\n"
               "F3  load a message from a file\n"
               "F4  attach a file\n"
               "F6  the wire form instead of the text\n"
               "Tab  from the text to the buttons and back\n"
               "Ctrl-V  takes the next key as it is; Ctrl-V Ctrl-J is a line end by LF alone\n"
               "Ctrl-K Ctrl-U Ctrl-W  cut, Ctrl-Y puts it back\n"
               "Esc  leaves; the text is kept as a draft\n\n"
               "To type the text line by line instead, leave and type :data"));
}
