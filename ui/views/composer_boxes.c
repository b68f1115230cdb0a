#include <stdio.h>
#include <string.h>

#include "boxes.h"
#include "compose.h"
#include "composer_parts.h"
#include "escape.h"
#include "letter.h"
#include "paste.h"
#include "readfile.h"
#include "text.h"
#include "wireform.h"

#define SUBJECT_SHOWN 200

/* The fields of the parameters have consecutive ids. */
static int param_field(int id)
{
    return F_PARAM + id;
}

static bool is_listed(int id)
{
    return id == PARAM_BODY || id == PARAM_RET;
}

/* "FULL|HDRS" as choices behind "none". The first one leaves the parameter out. */
static void add_choices(struct form *f, const struct composer *m, int id, const struct caps *caps)
{
    static const char *const body[] = {"7BIT", "8BITMIME", "BINARYMIME"};
    static const char *const ret[] = {"FULL", "HDRS"};
    const char *choices[FORM_CHOICES_MAX] = {id == PARAM_BODY ? _("auto") : _("none")};
    int count = 1, choice = 0;
    const char *const *values = id == PARAM_BODY ? body : ret;
    size_t n = id == PARAM_BODY ? ARRAY_LEN(body) : ARRAY_LEN(ret);
    for (size_t i = 0; i < n; i++) {
        bool binary = strcmp(values[i], "BINARYMIME") == 0;
        if (!binary || (caps_has(caps, CAP_BINARYMIME) && caps_has(caps, CAP_CHUNKING))) {
            choice = strcmp(m->params[id], values[i]) == 0 ? count : choice;
            choices[count++] = values[i];
        }
    }
    form_radio(f, param_field(id), envelope_params[id].name, choices, count, choice);
}

static void add_parameter(struct form *f, const struct composer *m, int id, const struct caps *caps)
{
    const struct envelope_param *param = &envelope_params[id];
    if (is_listed(id)) {
        add_choices(f, m, id, caps);
    } else if (id == PARAM_SIZE || param->form == NULL) {
        form_check(f, param_field(id), param->name, m->flags[id]);
    } else {
        form_text(f, param_field(id), param->name, m->params[id]);
    }
}

static void add_way(struct form *f, const struct composer *m, const struct caps *caps)
{
    const char *const ways[] = {"DATA", "BDAT"};
    if (caps != NULL && caps_has(caps, CAP_CHUNKING)) {
        form_radio(f, F_WAY, _("Send with"), ways, 2, m->bdat ? 1 : 0);
    }
}

void composer_open_envelope(struct app *a)
{
    struct composer *m = &a->hand.composer;
    struct caps room;
    const struct caps *caps = composer_caps(a, &room);
    struct dialog *d = dialog_push(a, DIALOG_ENVELOPE);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, _("Envelope: what this server offers"));
    if (m->own_envelope) {
        form_text(f, F_FROM, "MAIL FROM", m->from);
        form_text(f, F_TO, "RCPT TO", m->to);
        for (int i = 0; i < PARAM_COUNT && caps != NULL; i++) {
            if (envelope_offered(&envelope_params[i], caps, a->record.session_tls)) {
                add_parameter(f, m, i, caps);
            }
        }
    } else {
        form_note(f, "%s",
                  _("MAIL and RCPT were said already; only the way of the text is left to "
                    "choose."));
    }
    add_way(f, m, caps);
    if (caps == NULL) {
        form_note(f, "%s", _("What this server offers is known after EHLO."));
    }
    form_button(f, B_GO, _("Accept"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, m->own_envelope ? F_FROM : B_GO);
}

static bool read_address(struct form *f, int id, bool empty_ok, char *out, size_t size)
{
    struct error error = {.text = ""};
    if (address_check(form_value(f, id), empty_ok, true, &error) != ST_OK) {
        form_error(f, id, error.text);
        return false;
    }
    return str_copy(out, size, form_value(f, id));
}

static bool read_parameter(const struct app *a, struct form *f, struct composer *m, int id)
{
    struct caps room;
    struct error error = {.text = ""};
    struct field *field = form_field(f, param_field(id));
    char word[COMPOSER_VALUE_MAX + 32];
    if (field->kind == FIELD_CHECK) {
        m->flags[id] = field->on;
        return true;
    }
    const char *value = field->kind == FIELD_TEXT ? lineedit_text(&field->edit)
                        : field->choice > 0       ? field->choices[field->choice]
                                                  : "";
    int n = snprintf(word, sizeof(word), "%s=%s", envelope_params[id].name, value);
    if (value[0] != '\0' &&
        (n >= (int)sizeof(word) || strchr(value, ' ') != NULL ||
         envelope_judge(envelope_params[id].command, span_of(word), composer_caps(a, &room),
                        a->record.session_tls, &error) != ENVELOPE_GOOD)) {
        form_error(f, param_field(id),
                   error.text[0] != '\0' ? error.text : _("A value has no blank in it."));
        return false;
    }
    return str_copy(m->params[id], sizeof(m->params[id]), value);
}

void press_envelope(struct app *a, struct dialog *d, int pressed)
{
    struct composer *m = &a->hand.composer;
    struct form *f = &d->form;
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(f);
    if (form_has(f, F_FROM) && (!read_address(f, F_FROM, true, m->from, sizeof(m->from)) ||
                                !read_address(f, F_TO, false, m->to, sizeof(m->to)))) {
        return;
    }
    for (int i = 0; i < PARAM_COUNT; i++) {
        if (form_has(f, param_field(i)) && !read_parameter(a, f, m, i)) {
            return;
        }
    }
    if (form_has(f, F_WAY)) {
        m->bdat = form_field(f, F_WAY)->choice == 1;
    }
    dialog_close(a);
}

void composer_open_file(struct app *a, bool attach)
{
    struct dialog *d = dialog_push(a, DIALOG_FILE);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, attach ? _("Attach a file") : _("Load a message"));
    form_text(f, F_NAME, _("File name"), "");
    form_note(f, "%s",
              attach ? _("It becomes a part in base64, at the end of the text.")
                     : _("A file with headers replaces the message, one without its text."));
    form_button(f, attach ? B_ATTACH : B_GO, attach ? _("Attach") : _("Load"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_NAME);
}

void press_file(struct app *a, struct dialog *d, int pressed)
{
    struct form *f = &d->form;
    struct error error = {.text = ""};
    struct buf bytes;
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(f);
    const char *path = form_value(f, F_NAME);
    const char *slash = strrchr(path, '/');
    buf_init(&bytes, TEXTAREA_MAX);
    if (readfile(path, &bytes, &error) != ST_OK) {
        form_error(f, F_NAME, error.text);
    } else if (pressed == B_ATTACH ? !composer_attach(a, slash != NULL ? slash + 1 : path,
                                                      buf_str(&bytes), bytes.len)
                                   : !composer_take(a, buf_str(&bytes), bytes.len)) {
        form_error(f, F_NAME, _("The text is too long for the composer."));
    } else {
        dialog_close(a);
    }
    buf_free(&bytes);
}

static void say_way(struct form *f, const struct app *a)
{
    const struct facts *path = record_path(&a->record);
    char where[NET_ADDRESS_TEXT] = "?", host[200] = "";
    if (path != NULL) {
        net_address_format_port(&path->address, where, sizeof(where));
        if (path->mx != NULL) {
            escape_copy(host, sizeof(host), path->mx, strlen(path->mx), 0);
        }
    }
    if (a->record.session_tls && path != NULL && path->tls != NULL) {
        form_note(f, _("Way   %s %s, %s, by %s"), host, where, path->tls->version,
                  a->hand.composer.bdat ? "BDAT" : "DATA");
    } else {
        form_note(f, _("Way   %s %s, WITHOUT ENCRYPTION, by %s"), host, where,
                  a->hand.composer.bdat ? "BDAT" : "DATA");
    }
}

/* What a server that reads strictly will not like. */
static void say_doubts(struct form *f, const struct app *a, const struct wireform *w)
{
    struct caps room;
    const struct composer *m = &a->hand.composer;
    const struct caps *caps = composer_caps(a, &room);
    char odd[400], encoding[32];
    wireform_sentence(w, odd, sizeof(odd));
    if (odd[0] != '\0') {
        form_note(f, "%s", odd);
    }
    if ((w->flags & WIRE_EIGHT_BIT) != 0 &&
        letter_header(&m->text, "Content-Transfer-Encoding", encoding, sizeof(encoding)) &&
        str_equal_nocase(encoding, "7bit")) {
        form_note(f, "%s", _("The text is 8-bit, and its header says 7bit."));
    }
    if (caps != NULL && (w->flags & WIRE_EIGHT_BIT) != 0 && !caps_has(caps, CAP_8BITMIME)) {
        form_note(f, "%s", _("The text is 8-bit, and the server does not offer 8BITMIME."));
    }
    if (caps != NULL && (w->flags & WIRE_HEADER_UTF8) != 0 && !m->flags[PARAM_SMTPUTF8] &&
        m->own_envelope) {
        form_note(f, "%s", _("A header is 8-bit, and MAIL does not say SMTPUTF8."));
    }
    if (caps != NULL && m->bdat && !caps_has(caps, CAP_CHUNKING)) {
        form_note(f, "%s", _("The server does not offer CHUNKING, which BDAT is part of."));
    }
}

void composer_open_consent(struct app *a)
{
    struct composer *m = &a->hand.composer;
    struct wireform w;
    struct transaction open;
    char from[200], to[200], subject[SUBJECT_SHOWN], shown[SUBJECT_SHOWN];
    if (!hand_ready(a)) {
        a->status_error = true;
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_POST);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    transaction_read(&a->record, &open);
    unsigned recipients = m->own_envelope ? 1 : open.recipients;
    wireform_measure(&m->text, m->exact, &w);
    escape_copy(from, sizeof(from), m->from, strlen(m->from), 0);
    escape_copy(to, sizeof(to), m->to, strlen(m->to), 0);
    (void)letter_header(&m->text, "Subject", subject, sizeof(subject));
    escape_copy(shown, sizeof(shown), subject, strlen(subject), 0);
    form_init(f, _("Send this message: please confirm"));
    form_note(f, _("From  <%s>"), from);
    form_note(f, Q_("To    <%s>, %u recipient", "To    <%s>, %u recipients", recipients), to,
              recipients);
    form_note(f, _("Mail  %zu bytes, subject: %s"), m->bdat ? w.content : w.octets + 3, shown);
    say_way(f, a);
    say_doubts(f, a, &w);
    if ((w.flags & (WIRE_BARE_LF | WIRE_BARE_CR | WIRE_NUL)) != 0) {
        form_check(f, F_EXACT, _("send these bytes as they are; else line ends become CRLF"),
                   m->exact);
    }
    form_button(f, B_NO, _("No"));
    form_button(f, B_GO, _("Send 1 message"));
    form_focus(f, B_NO);
}

void press_post(struct app *a, struct dialog *d, int pressed)
{
    struct form *f = &d->form;
    struct error error = {.text = ""};
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    a->hand.composer.exact = form_has(f, F_EXACT) && form_field(f, F_EXACT)->on;
    dialog_close(a);
    if (!hand_ready(a) || !composer_send(a, &error)) {
        if (error.text[0] != '\0') {
            app_say(a, true, "%s", error.text);
        }
        a->status_error = true;
        return;
    }
    dialog_close(a);
    a->wish.focus = PANE_TYPE;
}

/* What a login answers stands alone in its line; a lone word that is no command may be that. */
static bool may_be_secret(const struct app *a, struct span line, bool in_login)
{
    bool lone = line.len > 0 && memchr(line.p, ' ', line.len) == NULL &&
                smtp_verb_of(line.p, line.len) == VERB_OTHER;
    return a->record.session == SMTP_CONTINUATION || a->record.waiting == WAIT_AUTH || in_login ||
           lone;
}

static bool begins_login(struct span line)
{
    while (line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
        line.p++;
        line.len--;
    }
    return smtp_verb_of(line.p, line.len) == VERB_AUTH;
}

void dialog_open_paste(struct app *a, const char *p, size_t len)
{
    struct dialog *d = dialog_push(a, DIALOG_PASTE);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    struct span line;
    unsigned long count = (unsigned long)paste_lines(p, len);
    form_init(f, _("Pasted text"));
    form_note(f,
              Q_("%lu line was pasted. What shall be done with it?",
                 "%lu lines were pasted. What shall be done with them?", count),
              count);
    size_t at = 0;
    bool in_login = false;
    for (int i = 0; i < 3 && paste_next(p, len, &at, &line); i++) {
        char shown[56];
        in_login = in_login || begins_login(line);
        bool secret = may_be_secret(a, line, in_login);
        escape_copy(shown, sizeof(shown), secret ? "*****" : line.p, secret ? 5 : line.len, 0);
        form_note(f, "  %s", shown);
    }
    if (at < len) {
        form_note(f, "  ...");
    }
    form_button(f, B_NO, _("Cancel"));
    form_button(f, B_GO, _("Send one by one"));
    form_button(f, B_VIEW, _("As DATA"));
    form_button(f, B_PACKET, _("In one packet"));
    form_focus(f, B_NO);
    if (buf_add(&d->text, p, len) != ST_OK) {
        dialog_close(a);
        app_say(a, true, "%s", _("Not enough memory."));
    }
}

static enum status feed_pasted(struct app *a, const struct buf *text)
{
    struct span line;
    enum status st = ST_OK;
    for (size_t at = 0; st == ST_OK && paste_next(text->p, text->len, &at, &line);) {
        st = feed_add(&a->hand.feed, FEED_LINE, 0, line.p, line.len);
    }
    return st;
}

static enum status feed_packet(struct app *a, const struct buf *text)
{
    struct span line;
    struct buf wire;
    enum status st = ST_OK;
    buf_init(&wire, SMTP_RAW_MAX);
    for (size_t at = 0; st == ST_OK && paste_next(text->p, text->len, &at, &line);) {
        st = buf_add(&wire, line.p, line.len);
        st = st == ST_OK ? buf_add_str(&wire, "\r\n") : st;
    }
    st = st == ST_OK ? feed_add(&a->hand.feed, FEED_RAW, 0, buf_str(&wire), wire.len) : st;
    buf_wipe(&wire);
    return st;
}

void press_paste(struct app *a, struct dialog *d, int pressed)
{
    struct buf text = d->text; /* taken out of the box, which closes */
    buf_init(&d->text, 1);
    dialog_close(a);
    enum status st = ST_OK;
    if (pressed == B_VIEW && a->hand.composer.written) {
        st = composer_take(a, buf_str(&text), text.len) ? ST_OK : ST_LIMIT;
        composer_open(a, a->record.session != SMTP_RCPT, NULL, NULL);
    } else if (pressed == B_VIEW) {
        composer_open(a, a->record.session != SMTP_RCPT, NULL, NULL);
        st = dialog_top(a) == NULL || composer_take(a, buf_str(&text), text.len) ? ST_OK : ST_LIMIT;
    } else if (pressed != B_NO && hand_ready(a)) {
        st = pressed == B_PACKET ? feed_packet(a, &text) : feed_pasted(a, &text);
        if (st == ST_OK) {
            hand_feed(a, HAND_LINES);
        }
    }
    if (st != ST_OK) {
        feed_clear(&a->hand.feed);
        app_say(a, true, "%s", _("The pasted text is too long for this."));
    }
    buf_wipe(&text);
}
