"""Programs that the window runs beside itself, for what could hang, fail, or take the window down."""
