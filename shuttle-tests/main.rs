#![cfg(manometer_shuttle)]
