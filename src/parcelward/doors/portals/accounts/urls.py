"""The addresses of sign-in, joining and the account page."""

from __future__ import annotations

from django.urls import path

from parcelward.doors.portals.accounts import again, by_code, join, second, security, sign_in

urlpatterns = [
    path("accounts/sign-in", sign_in.sign_in, name="account_login"),
    path("accounts/sign-in/passkey/options", sign_in.passkey_options, name="passkey_options"),
    path("accounts/sign-in/passkey", sign_in.with_passkey, name="with_passkey"),
    path("accounts/sign-in/code", by_code.ask, name="code_asked"),
    path("accounts/sign-in/code/typed", by_code.typed, name="code_typed"),
    path("accounts/sign-in/second", second.second, name="mfa_authenticate"),
    path("accounts/sign-in/second/options", second.options, name="second_options"),
    path("app/account/app-codes", second.app_codes, name="app_codes"),
    path("app/account/app-codes/off", second.app_codes_off, name="app_codes_off"),
    path("app/account/recovery-codes", second.recovery_codes, name="recovery_codes"),
    path("accounts/sign-out", sign_in.sign_out, name="sign_out"),
    path("accounts/session", sign_in.lives, name="session_lives"),
    path("accounts/join", join.join, name="join"),
    path("app/account/join", join.with_account, name="join_with_account"),
    path("accounts/join/passkey", join.finish, name="join_finish"),
    path("app/account", security.account, name="account"),
    path("app/account/prove", again.prove, name="prove_again"),
    path("app/account/prove/options", again.options, name="prove_options"),
    path("app/account/passkeys/add", security.add_passkey, name="add_passkey"),
    path("app/account/passkeys/<int:passkey_id>/rename", security.rename_passkey, name="rename_passkey"),
    path("app/account/passkeys/<int:passkey_id>/remove", security.remove_passkey, name="remove_passkey"),
    path("app/account/sessions/<uuid:session_id>/end", security.end_session, name="end_session"),
    path("app/account/sessions/end-others", security.end_others, name="end_other_sessions"),
    path("app/account/act", security.act, name="act_for"),
]
