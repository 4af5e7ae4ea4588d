/* Errors and their names. */
#include "testing.h"

START_TEST(errors_are_named_as_in_python)
{
    for (int error = ASYNC_CANCELLED; error <= ASYNC_SYSTEM_EXIT; error++)
        ck_assert_str_ne(async_error_name(error), "Error");
    ck_assert_str_eq(async_error_name(ASYNC_CANCELLED), "CancelledError");
    ck_assert_str_eq(async_error_name(ASYNC_TIMEOUT), "TimeoutError");
    ck_assert_str_eq(async_error_name(0), "None");
    ck_assert_str_eq(async_error_name(ENOENT), strerror(ENOENT));
    ck_assert_str_eq(async_error_name(ASYNC_USER_ERROR), "Error");
    ck_assert_str_eq(async_error_name(-1), "Error");
}
END_TEST

START_TEST(a_value_is_what_it_was_made_of)
{
    int here;
    ck_assert_int_eq(async_none.error, 0);
    ck_assert_ptr_eq(async_ptr(&here).ptr, &here);
    ck_assert_str_eq(async_str("text").str, "text");
    ck_assert_int_eq(async_num(-42).num, -42);
    ck_assert(async_real(0.5).real == 0.5);
    ck_assert_int_eq(async_error(ASYNC_TIMEOUT, "late").error, ASYNC_TIMEOUT);
    ck_assert_str_eq(async_error(ASYNC_TIMEOUT, "late").message, "late");
    ck_assert_int_eq(async_exit(3).num, 3);
    ck_assert_uint_le(sizeof(async_value), 16);             /* comes back in two registers */
}
END_TEST

MAIN("value",
     TEST(errors_are_named_as_in_python)
     TEST(a_value_is_what_it_was_made_of))
