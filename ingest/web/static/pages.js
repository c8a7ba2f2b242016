// Every page works without this; it only shortens the way.
"use strict";
