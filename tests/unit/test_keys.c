#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"

static bool live(int mode, enum action a)
{
    for (size_t i = 0; i < key_binding_count; i++) {
        if (key_bindings[i].action == a && (key_bindings[i].modes >> mode & 1u) != 0) {
            return true;
        }
    }
    return false;
}

/* A33: no key twice in one mode, and every row of the table means something. */
static void nothing_bound_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_binding_count; i++) {
        const struct key_binding *b = &key_bindings[i];
        assert_true(b->modes != 0 && b->modes >> MODE_COUNT == 0);
        assert_true(b->action > ACTION_NONE && b->action < ACTION_COUNT);
        assert_true(b->key != UKEY_NONE && b->key < UKEY_LAST);
        for (size_t k = 0; k < i; k++) {
            if (key_bindings[k].key == b->key) {
                assert_int_equal(key_bindings[k].modes & b->modes, 0);
            }
        }
    }
}

static bool is_plain_key(uint32_t key)
{
    return (key >= 0x20 && key < 0x7f) || key == UKEY_TAB || key == UKEY_ENTER || key == UKEY_UP ||
           key == UKEY_DOWN || key == UKEY_LEFT || key == UKEY_RIGHT;
}

static bool has_plain_key(int mode, enum action a)
{
    for (size_t i = 0; i < key_binding_count; i++) {
        if (key_bindings[i].action == a && (key_bindings[i].modes >> mode & 1u) != 0 &&
            is_plain_key(key_bindings[i].key)) {
            return true;
        }
    }
    return false;
}

/*
 * A32: printable keys, Tab, Enter and arrows do for everything. An action has such a key in a pane
 * that Tab and digits lead to, or the menu lists it; the menu itself opens with one, moves with
 * arrows, runs with Enter and closes with Tab.
 */
static void reachable_without_special_keys(void **state)
{
    (void)state;
    for (int mode = MODE_PANE; mode < MODE_PANE + PANE_COUNT; mode++) {
        assert_true(has_plain_key(mode, ACTION_MENU));
        assert_true(has_plain_key(mode, ACTION_NEXT_PANE));
    }
    assert_true(has_plain_key(MODE_START, ACTION_MENU));
    static const enum action in_list[] = {ACTION_UP, ACTION_DOWN, ACTION_OPEN, ACTION_CANCEL};
    for (size_t i = 0; i < ARRAY_LEN(in_list); i++) {
        assert_true(has_plain_key(MODE_LIST, in_list[i]));
    }
    for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
        /* The guide takes the place of a pane. */
        bool somewhere = live(MODE_GUIDE, a);
        bool plain = has_plain_key(MODE_GUIDE, a);
        for (int mode = MODE_PANE; mode < MODE_PANE + PANE_COUNT; mode++) {
            somewhere = somewhere || live(mode, a);
            plain = plain || has_plain_key(mode, a);
        }
        assert_true(somewhere);
        /* Those that have only control or function keys are run from the menu. */
        bool from_menu = a == ACTION_STOP || a == ACTION_CANCEL || a == ACTION_PREV_PANE ||
                         a == ACTION_REDRAW || a == ACTION_SUSPEND || a == ACTION_PAGE_DOWN ||
                         a == ACTION_PAGE_UP || a == ACTION_HALF_DOWN || a == ACTION_HALF_UP;
        assert_int_equal(plain, !from_menu);
    }
}

/* Every pane-local letter is free among the global ones: what works in one pane never means another
   thing in the next (ux: key map). */
static void global_keys_are_the_same_in_all_panes(void **state)
{
    (void)state;
    for (uint32_t key = 1; key < UKEY_LAST; key++) {
        enum action seen = ACTION_NONE;
        for (int mode = MODE_PANE; mode < MODE_PANE + PANE_COUNT; mode++) {
            enum action a = keys_find((enum key_mode)mode, key);
            if (a == ACTION_NONE || key == UKEY_ENTER) {
                continue;
            }
            assert_true(seen == ACTION_NONE || seen == a);
            seen = a;
        }
    }
}

/* In the guide the keys that all panes share mean the same, but for those that leave it. */
static void the_guide_keeps_global_keys(void **state)
{
    (void)state;
    for (uint32_t key = 1; key < UKEY_LAST; key++) {
        enum action everywhere = keys_find(MODE_PANE, key);
        for (int mode = MODE_PANE; mode < MODE_PANE + PANE_COUNT; mode++) {
            everywhere = keys_find((enum key_mode)mode, key) == everywhere ? everywhere : ACTION_NONE;
        }
        if (everywhere != ACTION_NONE && key != 'q' && key != UKEY_ESC) {
            assert_int_equal(keys_find(MODE_GUIDE, key), everywhere);
        }
    }
    assert_int_equal(keys_find(MODE_GUIDE, 'q'), ACTION_GUIDE_LEAVE);
    assert_int_equal(keys_find(MODE_GUIDE, UKEY_ESC), ACTION_GUIDE_LEAVE);
    assert_int_equal(keys_find(MODE_GUIDE, UKEY_F10), ACTION_QUIT);
    assert_int_equal(keys_find(MODE_GUIDE, 's'), ACTION_SAVE);
    assert_int_equal(keys_find(MODE_GUIDE, UKEY_ENTER), ACTION_OPEN);
}

static void text_keeps_its_letters(void **state)
{
    (void)state;
    for (uint32_t key = 0x20; key < 0x7f; key++) {
        assert_int_equal(keys_find(MODE_TEXT, key), ACTION_NONE);
        assert_int_equal(keys_find(MODE_LIST, key), ACTION_NONE);
    }
    /* What edits belongs to the line. */
    static const char edits[] = "abefhdwukytpnrvcgj";
    for (const char *p = edits; *p != '\0'; p++) {
        assert_int_equal(keys_find(MODE_TEXT, KEY_CTRL(*p)), ACTION_NONE);
    }
    static const uint32_t lines[] = {UKEY_UP,    UKEY_DOWN,   UKEY_LEFT,   UKEY_RIGHT,
                                     UKEY_HOME,  UKEY_END,    UKEY_TAB,    UKEY_ESC,
                                     UKEY_ENTER, UKEY_DELETE, UKEY_BACKTAB};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(keys_find(MODE_TEXT, lines[i]), ACTION_NONE);
    }
    /* F-keys mean the same in text as in the panes. */
    for (uint32_t key = UKEY_F1; key <= UKEY_F12; key++) {
        assert_int_equal(keys_find(MODE_TEXT, key), keys_find(MODE_PANE, key));
    }
    assert_int_equal(keys_find(MODE_TEXT, UKEY_F7), ACTION_SAVE);
}

/* What a terminal may keep for itself has another key in every pane. */
static void twins(void **state)
{
    (void)state;
    static const uint32_t taken[] = {UKEY_F1, UKEY_F10, UKEY_F11, KEY_CTRL('s'), UKEY_F2, UKEY_F3,
                                     UKEY_F4, UKEY_F5,  UKEY_F6,  UKEY_F7,       UKEY_F8, UKEY_F9};
    for (int mode = MODE_PANE; mode < MODE_PANE + PANE_COUNT; mode++) {
        for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
            enum action a = keys_find((enum key_mode)mode, taken[i]);
            assert_int_not_equal(a, ACTION_NONE);
            bool other = false;
            for (uint32_t key = 1; key < UKEY_FIRST && key <= 0x7f; key++) {
                other = other || (key != taken[i] && keys_find((enum key_mode)mode, key) == a);
            }
            assert_true(other);
        }
    }
}

static bool help_has(enum key_mode mode, const char *filter, enum action want)
{
    enum action found[ACTION_COUNT];
    size_t count = keys_help(mode, filter, found, ARRAY_LEN(found));
    for (size_t i = 0; i < count; i++) {
        if (found[i] == want) {
            return true;
        }
    }
    return false;
}

/* A30: help lists exactly what the key handler knows; a word or a key finds it. */
static void help_is_the_table(void **state)
{
    (void)state;
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        enum action found[ACTION_COUNT];
        size_t count = keys_help((enum key_mode)mode, "", found, ARRAY_LEN(found));
        size_t expected = 0;
        for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
            expected += live(mode, a);
            assert_int_equal(help_has((enum key_mode)mode, NULL, a), live(mode, a));
        }
        assert_int_equal(count, expected);
        for (size_t i = 0; i < count; i++) {
            char keys[128];
            keys_text((enum key_mode)mode, found[i], keys, sizeof(keys));
            assert_true(keys[0] != '\0');
        }
        assert_int_equal(keys_help((enum key_mode)mode, "", found, 3), count < 3 ? count : 3);
    }
    enum key_mode steps = MODE_PANE + PANE_STEPS;
    assert_true(help_has(steps, "save", ACTION_SAVE));
    assert_true(help_has(steps, "SAVE", ACTION_SAVE));
    assert_true(help_has(steps, "F7", ACTION_SAVE));
    assert_true(help_has(steps, "file save", ACTION_SAVE));
    assert_false(help_has(steps, "save nothing", ACTION_SAVE));
    assert_false(help_has(steps, "wrap", ACTION_WRAP));
    assert_true(help_has(MODE_PANE + PANE_TRANSCRIPT, "wrap", ACTION_WRAP));
}

static void names_of_keys(void **state)
{
    (void)state;
    static const struct {
        uint32_t key;
        const char *name;
    } cases[] = {{'j', "j"},
                 {' ', "Space"},
                 {UKEY_F11, "F11"},
                 {KEY_CTRL('s'), "Ctrl-S"},
                 {UKEY_TAB, "Tab"},
                 {UKEY_BACKTAB, "Shift-Tab"},
                 {UKEY_ENTER, "Enter"},
                 {UKEY_PAGE_UP, "PgUp"},
                 {0xe9, "\u00e9"},
                 {UKEY_NONE, ""}};
    char text[32];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        key_text(cases[i].key, text, sizeof(text));
        assert_string_equal(text, cases[i].name);
    }
    keys_text(MODE_PANE, ACTION_SAVE, text, sizeof(text));
    assert_string_equal(text, "s F7 Ctrl-S");
    keys_text(MODE_LIST, ACTION_SAVE, text, sizeof(text));
    assert_string_equal(text, "");
    /* Too small a place: whole keys or none. */
    keys_text(MODE_PANE, ACTION_SAVE, text, 6);
    assert_string_equal(text, "s F7");
}

static void names_of_actions(void **state)
{
    (void)state;
    for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
        assert_true(action_name(a)[0] != '\0');
        assert_true(action_title(a)[0] != '\0');
        for (enum action b = ACTION_NONE + 1; b < a; b++) {
            assert_string_not_equal(action_name(a), action_name(b));
        }
    }
    assert_string_equal(action_title(ACTION_NONE), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_bound_twice),
        cmocka_unit_test(reachable_without_special_keys),
        cmocka_unit_test(global_keys_are_the_same_in_all_panes),
        cmocka_unit_test(the_guide_keeps_global_keys),
        cmocka_unit_test(text_keeps_its_letters),
        cmocka_unit_test(twins),
        cmocka_unit_test(help_is_the_table),
        cmocka_unit_test(names_of_keys),
        cmocka_unit_test(names_of_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
